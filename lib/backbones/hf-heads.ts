// Classifiers on transformers' ViT and its relatives for sound and video, with transformers' names.
import { LayerNorm, Linear, Module } from '../nn'
import type { Tensor } from '../tensor'
import { ASTModel, ASTS, type AstOptions } from './ast'
import type { NetworkEntry } from './network'
import { TIMESFORMERS, TimesformerModel, type TimesformerOptions } from './timesformer'
import { VIDEOMAES, VideoMAEModel, type VideoMAEOptions } from './videomae'
import { resetAsHf, VITS_HF, ViTModel, type ViTModelOptions, vitConfig } from './vit-hf'

interface Classes {
  /** Default: those of the published classifier. */
  readonly numClasses?: number
}

export interface ViTForImageClassificationOptions extends Omit<ViTModelOptions, 'pooling'>, Classes {}

/**
 * ViT with a linear layer on the first token, as transformers' `ViTForImageClassification`.
 *
 * Shapes: `[N, 3, imageSize, imageSize]` → logits `[N, numClasses]`.
 */
export class ViTForImageClassification extends Module {
  readonly vit: ViTModel
  readonly classifier: Linear

  constructor({ numClasses = 1000, ...options }: ViTForImageClassificationOptions = {}) {
    super()
    this.vit = new ViTModel({ ...options, pooling: false })
    this.classifier = new Linear(vitConfig(options).hiddenSize, numClasses)
    resetAsHf(this)
  }

  forward(images: Tensor): Tensor {
    return this.classifier.forward(this.vit.forward(images).lastHiddenState.select(1, 0))
  }
}

class ASTMLPHead extends Module {
  readonly layernorm: LayerNorm
  readonly dense: Linear

  constructor(width: number, eps: number, numClasses: number) {
    super()
    this.layernorm = new LayerNorm(width, { eps })
    this.dense = new Linear(width, numClasses)
  }

  forward(pooled: Tensor): Tensor {
    return this.dense.forward(this.layernorm.forward(pooled))
  }
}

export interface ASTForAudioClassificationOptions extends AstOptions, Classes {}

/**
 * AST with a classifier on the mean of its two first tokens, as transformers' `ASTForAudioClassification`.
 *
 * Shapes: log-mel spectrograms `[N, maxLength, numMelBins]` → logits `[N, numClasses]`.
 */
export class ASTForAudioClassification extends Module {
  readonly audioSpectrogramTransformer: ASTModel
  readonly classifier: ASTMLPHead

  constructor({ numClasses = 527, ...options }: ASTForAudioClassificationOptions = {}) {
    super()
    const { hiddenSize, layerNormEps } = vitConfig(options)
    this.audioSpectrogramTransformer = new ASTModel(options)
    this.classifier = new ASTMLPHead(hiddenSize, layerNormEps, numClasses)
    resetAsHf(this)
  }

  forward(spectrograms: Tensor): Tensor {
    return this.classifier.forward(this.audioSpectrogramTransformer.forward(spectrograms).poolerOutput)
  }
}

export interface VideoMAEForVideoClassificationOptions extends VideoMAEOptions, Classes {}

/**
 * VideoMAE with a classifier on the mean of its tokens, as transformers' `VideoMAEForVideoClassification`.
 *
 * Shapes: clips `[N, frames, 3, imageSize, imageSize]` → logits `[N, numClasses]`.
 */
export class VideoMAEForVideoClassification extends Module {
  readonly videomae: VideoMAEModel
  readonly fcNorm: LayerNorm
  readonly classifier: Linear

  constructor({ numClasses = 400, ...options }: VideoMAEForVideoClassificationOptions = {}) {
    super()
    const { hiddenSize } = vitConfig(options)
    this.videomae = new VideoMAEModel(options)
    this.fcNorm = new LayerNorm(hiddenSize)
    this.classifier = new Linear(hiddenSize, numClasses)
    resetAsHf(this)
  }

  forward(clips: Tensor): Tensor {
    const { lastHiddenState } = this.videomae.forward(clips)
    return this.classifier.forward(this.fcNorm.forward(lastHiddenState.mean({ dim: 1 })))
  }
}

export interface TimesformerForVideoClassificationOptions extends TimesformerOptions, Classes {}

/**
 * TimeSformer with a linear layer on the first token, as transformers' `TimesformerForVideoClassification`.
 *
 * Shapes: clips `[N, frames, 3, H, W]` → logits `[N, numClasses]`.
 */
export class TimesformerForVideoClassification extends Module {
  readonly timesformer: TimesformerModel
  readonly classifier: Linear

  constructor({ numClasses = 400, ...options }: TimesformerForVideoClassificationOptions = {}) {
    super()
    this.timesformer = new TimesformerModel(options)
    this.classifier = new Linear(vitConfig(options).hiddenSize, numClasses)
    resetAsHf(this)
  }

  forward(clips: Tensor): Tensor {
    return this.classifier.forward(this.timesformer.forward(clips).lastHiddenState.select(1, 0))
  }
}

export const vitBasePatch16_224HfClassification = (options?: ViTForImageClassificationOptions) =>
  new ViTForImageClassification(options)
export const astClassification = (options?: ASTForAudioClassificationOptions) => new ASTForAudioClassification(options)
export const videomaeBaseClassification = (options?: VideoMAEForVideoClassificationOptions) =>
  new VideoMAEForVideoClassification(options)
export const timesformerBaseClassification = (options?: TimesformerForVideoClassificationOptions) =>
  new TimesformerForVideoClassification(options)

export const VIT_CLASSIFIERS_HF = {
  vit_base_patch16_224_hf_classification: {
    create: vitBasePatch16_224HfClassification,
    task: 'image-classification',
    input: VITS_HF.vit_base_patch16_224_hf.input,
    features: 'vit.layernorm',
  },
} as const satisfies Readonly<Record<string, NetworkEntry<ViTForImageClassificationOptions>>>

export const AST_CLASSIFIERS = {
  ast_classification: {
    create: astClassification,
    task: 'audio-classification',
    input: ASTS.ast.input,
    features: 'audio_spectrogram_transformer.layernorm',
  },
} as const satisfies Readonly<Record<string, NetworkEntry<ASTForAudioClassificationOptions>>>

export const VIDEOMAE_CLASSIFIERS = {
  videomae_base_classification: {
    create: videomaeBaseClassification,
    task: 'video-classification',
    input: VIDEOMAES.videomae_base.input,
    features: 'fc_norm',
  },
} as const satisfies Readonly<Record<string, NetworkEntry<VideoMAEForVideoClassificationOptions>>>

export const TIMESFORMER_CLASSIFIERS = {
  timesformer_base_classification: {
    create: timesformerBaseClassification,
    task: 'video-classification',
    input: TIMESFORMERS.timesformer_base.input,
    features: 'timesformer.layernorm',
  },
} as const satisfies Readonly<Record<string, NetworkEntry<TimesformerForVideoClassificationOptions>>>
