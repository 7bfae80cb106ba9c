// Audio Spectrogram Transformer with transformers' names.
import { ShapeError } from '../native/errors'
import { Conv2d, Dropout, LayerNorm, Module, type Parameter } from '../nn'
import { cat, type Tensor } from '../tensor'
import type { NetworkEntry } from './network'
import {
  type EncoderOutput,
  learntTokens,
  PatchProjection,
  resetAsHf,
  ViTEncoder,
  ViTLayer,
  ViTSelfAttention,
  type ViTSize,
  vitConfig,
} from './vit-hf'

export interface AstOptions extends ViTSize {
  /** Side of the square patches. Default 16. */
  readonly patchSize?: number
  /** Steps between patches, along frequency and time; less than the patch size makes them overlap. Default 10. */
  readonly frequencyStride?: number
  readonly timeStride?: number
  /** Frames of a spectrogram. Default 1024, which are 10.24 s. */
  readonly maxLength?: number
  /** Mel bands. Default 128. */
  readonly numMelBins?: number
}

class AstEmbeddings extends Module {
  readonly clsToken: Parameter
  readonly distillationToken: Parameter
  readonly positionEmbeddings: Parameter
  readonly patchEmbeddings: PatchProjection
  readonly dropout: Dropout

  constructor(
    hiddenSize: number,
    patches: number,
    { patchSize, stride, dropout }: { patchSize: number; stride: readonly [number, number]; dropout: number },
  ) {
    super()
    this.clsToken = learntTokens(1, hiddenSize)
    this.distillationToken = learntTokens(1, hiddenSize)
    this.positionEmbeddings = learntTokens(patches + 2, hiddenSize)
    this.patchEmbeddings = new PatchProjection(new Conv2d(1, hiddenSize, patchSize, { stride }))
    this.dropout = new Dropout({ p: dropout })
  }

  forward(spectrograms: Tensor): Tensor {
    const patches = this.patchEmbeddings.forward(spectrograms.transpose(1, 2).unsqueeze(1))
    const first = [this.clsToken, this.distillationToken].map((token) => token.expand([patches.size(0), -1, -1]))
    return this.dropout.forward(cat([...first, patches], { dim: 1 }).add(this.positionEmbeddings))
  }
}

/**
 * Audio Spectrogram Transformer (Gong, Chung, Glass, Interspeech 2021), as transformers' `ASTModel`.
 *
 * Shapes: log-mel spectrograms `[N, maxLength, numMelBins]`, normalised to mean 0 and deviation 0.5 → tokens
 * `[N, 2 + patches, hiddenSize]`; pooled, the mean of the two first, `[N, hiddenSize]`.
 */
export class ASTModel extends Module {
  readonly embeddings: AstEmbeddings
  readonly encoder: ViTEncoder
  readonly layernorm: LayerNorm
  readonly maxLength: number
  readonly numMelBins: number

  constructor(options: AstOptions = {}) {
    super()
    const config = vitConfig(options)
    const { patchSize = 16, frequencyStride = 10, timeStride = 10, maxLength = 1024, numMelBins = 128 } = options
    const steps = (length: number, stride: number) => Math.floor((length - patchSize) / stride) + 1
    const patches = steps(numMelBins, frequencyStride) * steps(maxLength, timeStride)
    if (maxLength < patchSize || numMelBins < patchSize) {
      throw new ShapeError(
        `ASTModel: maxLength is ${maxLength} and numMelBins ${numMelBins}; both must be at least the patch size, ${patchSize}`,
      )
    }
    this.maxLength = maxLength
    this.numMelBins = numMelBins
    this.embeddings = new AstEmbeddings(config.hiddenSize, patches, {
      patchSize,
      stride: [frequencyStride, timeStride],
      dropout: config.hiddenDropout,
    })
    this.encoder = new ViTEncoder(config, () => new ViTLayer(config, (each) => new ViTSelfAttention(each)))
    this.layernorm = new LayerNorm(config.hiddenSize, { eps: config.layerNormEps })
    resetAsHf(this)
  }

  /** @throws ShapeError for spectrograms of another size than the positions are for */
  forward(spectrograms: Tensor): Required<EncoderOutput> {
    const { maxLength, numMelBins } = this
    if (spectrograms.ndim !== 3 || spectrograms.size(1) !== maxLength || spectrograms.size(2) !== numMelBins) {
      throw new ShapeError(
        `ASTModel: the spectrograms are [${spectrograms.shape.join(', ')}]; expected [N, ${maxLength}, ${numMelBins}]: pad or cut the sound, or make it with { maxLength, numMelBins }`,
      )
    }
    const lastHiddenState = this.layernorm.forward(this.encoder.forward(this.embeddings.forward(spectrograms)))
    return { lastHiddenState, poolerOutput: lastHiddenState.narrow(1, 0, 2).mean({ dim: 1 }) }
  }
}

export const ast = (options?: AstOptions) => new ASTModel(options)

export const ASTS = {
  ast: { create: ast, task: 'features', input: { kind: 'audio' }, features: 'layernorm' },
} as const satisfies Readonly<Record<string, NetworkEntry<AstOptions>>>
