// What the loop over the networks does not see: first values, older names, what is refused, and training.
import { describe, expect, test } from 'vitest'
import {
  BertForPreTraining,
  BertModel,
  DistilBertModel,
  GPT2Model,
  MPNetModel,
  RobertaModel,
  T5ForConditionalGeneration,
  Wav2Vec2Model,
  WhisperForConditionalGeneration,
  WhisperModel,
} from '../../lib/backbones'
import { LAYOUTS, type Layout, loadPublished } from '../../lib/backbones/layouts'
import { type Module, skipInit } from '../../lib/nn'
import { manualSeed, noGrad, type Tensor, tensor, tidy, tidyAsync, zeros } from '../../lib/tensor'
import { fillWithHash, hashIntegers, hashTensor } from '../support/hash-weights'

const BERT = { vocabSize: 300, hiddenSize: 64, numHiddenLayers: 2, numAttentionHeads: 4, intermediateSize: 128 }
const T5 = { vocabSize: 300, dModel: 64, dKv: 16, dFf: 128, numLayers: 2, numHeads: 4 }
const WHISPER = {
  vocabSize: 90,
  numMelBins: 8,
  dModel: 32,
  encoderLayers: 1,
  encoderAttentionHeads: 4,
  encoderFfnDim: 48,
  decoderLayers: 2,
  decoderAttentionHeads: 4,
  decoderFfnDim: 48,
  maxSourcePositions: 10,
  maxTargetPositions: 20,
  padTokenId: 3,
  eosTokenId: 89,
}
const WAV2VEC2 = {
  hiddenSize: 32,
  numHiddenLayers: 1,
  numAttentionHeads: 4,
  intermediateSize: 48,
  convDim: [16, 16],
  convStride: [5, 2],
  convKernel: [10, 3],
  numConvPosEmbeddings: 8,
  numConvPosEmbeddingGroups: 4,
}

/** Expects a normal distribution of this deviation, as far as the number of values tells. */
function expectNormal(network: Module, name: string, std: number): void {
  const values = network.stateDict().get(name) as Tensor
  expect(values.std().toNumber() / std).toBeCloseTo(1, values.numel > 5000 ? 1 : 0)
  expect(Math.abs(values.mean().toNumber())).toBeLessThan((5 * std) / Math.sqrt(values.numel))
}

describe('first values are those of the transformers package', () => {
  test('of BERT: normal of 0.02, no biases, no padding', () => {
    tidy(() => {
      manualSeed(0)
      const network = new BertModel(BERT)
      expectNormal(network, 'encoder.layer.1.intermediate.dense.weight', 0.02)
      expectNormal(network, 'embeddings.position_embeddings.weight', 0.02)
      const state = network.stateDict()
      expect(state.get('encoder.layer.0.output.dense.bias')?.abs().max().toNumber()).toBe(0)
      expect(state.get('embeddings.word_embeddings.weight')?.select(0, 0).abs().max().toNumber()).toBe(0)
      expect(state.get('embeddings.word_embeddings.weight')?.select(0, 1).abs().max().toNumber()).toBeGreaterThan(0)
    })
  })

  test('of GPT-2: branches begin smaller by the root of their number', () => {
    tidy(() => {
      manualSeed(0)
      const network = new GPT2Model({ vocabSize: 100, nPositions: 16, nEmbd: 64, nLayer: 8, nHead: 4 })
      expectNormal(network, 'h.3.attn.c_attn.weight', 0.02)
      expectNormal(network, 'h.3.mlp.c_proj.weight', 0.02 / 4)
    })
  })

  test('of T5: by the width, the queries by that of a head too', () => {
    tidy(() => {
      manualSeed(0)
      const network = new T5ForConditionalGeneration(T5)
      expectNormal(network, 'shared.weight', 1)
      expectNormal(network, 'encoder.block.1.layer.0.SelfAttention.q.weight', 1 / Math.sqrt(64 * 16))
      expectNormal(network, 'decoder.block.1.layer.1.EncDecAttention.k.weight', 1 / 8)
      expectNormal(network, 'decoder.block.0.layer.2.DenseReluDense.wo.weight', 1 / Math.sqrt(128))
    })
  })

  test('of Whisper: the encoder’s positions are sines and cosines that no training changes', () => {
    tidy(() => {
      const network = new WhisperModel(WHISPER)
      const positions = network.stateDict().get('encoder.embed_positions.weight') as Tensor
      expect(positions.requiresGrad).toBe(false)
      expect(Number(positions.at(1, 0).item())).toBeCloseTo(Math.sin(1), 6)
      expect(Number(positions.at(3, 31).item())).toBeCloseTo(Math.cos(3 / 10000), 6)
      expectNormal(network, 'decoder.layers.0.fc1.weight', 0.02)
    })
  })
})

describe('older names of published files', () => {
  const cases: [string, () => Module, Layout, string][] = [
    [
      'BERT from TensorFlow',
      () => new BertForPreTraining(BERT),
      LAYOUTS['bert-tensorflow'],
      'bert.encoder.layer.1.output.LayerNorm.gamma',
    ],
    [
      'Wav2Vec2 before parametrizations',
      () => new Wav2Vec2Model(WAV2VEC2),
      LAYOUTS['wav2vec2-weight-norm'],
      'encoder.pos_conv_embed.conv.weight_g',
    ],
  ]
  test.each(cases)('%s', (_, make, layout, name) => {
    tidy(() => {
      const [network, other] = [skipInit(make), make()]
      fillWithHash(network)
      const published = layout.toPublished(network.stateDict())
      expect([...published.keys()]).toContain(name)
      loadPublished(other, published, layout)
      const loaded = other.stateDict()
      expect([...network.stateDict()].filter(([key, value]) => !loaded.get(key)?.equal(value))).toEqual([])
    })
  })
})

test('padding changes nothing for the tokens before it', () => {
  noGrad(() =>
    tidy(() => {
      const tokens = hashIntegers('tokens', [1, 6], 298).add(2)
      const mask = tensor(BigInt64Array.from([1n, 1n, 1n, 1n, 0n, 0n]), { shape: [1, 6] })
      const short = tokens.narrow(1, 0, 4)
      const networks = [
        new BertModel(BERT),
        new RobertaModel({ ...BERT, maxPositionEmbeddings: 20 }),
        new MPNetModel({ ...BERT, maxPositionEmbeddings: 20 }),
      ]
      for (const network of networks) {
        network.eval()
        const whole = network.forward(tokens, { attentionMask: mask }).lastHiddenState.narrow(1, 0, 4)
        expect(whole.allclose(network.forward(short).lastHiddenState, { atol: 1e-5 })).toBe(true)
      }
      const distil = new DistilBertModel({ vocabSize: 300, dim: 64, nLayers: 2, nHeads: 4, hiddenDim: 96 }).eval()
      const whole = distil.forward(tokens, { attentionMask: mask }).narrow(1, 0, 4)
      expect(whole.allclose(distil.forward(short), { atol: 1e-5 })).toBe(true)
    }),
  )
})

test('in training dropout is drawn, the same with the same seed', () => {
  tidy(() => {
    const network = new BertModel(BERT)
    const tokens = hashIntegers('tokens', [1, 6], 300)
    const run = (seed: number) => {
      manualSeed(seed)
      return network.forward(tokens).lastHiddenState
    }
    expect(run(1).equal(run(1))).toBe(true)
    expect(run(1).equal(run(2))).toBe(false)
    network.eval()
    expect(run(1).equal(run(2))).toBe(true)
  })
})

test('Whisper writes with its cache what it would write from the start each time', async () => {
  await tidyAsync(async () => {
    using network = skipInit(() => new WhisperForConditionalGeneration(WHISPER)).eval()
    fillWithHash(network)
    const sound = hashTensor('sound', [1, 8, 20])
    const [written] = await network.generate(sound, [5, 6], { maxNewTokens: 5 })
    const tokens = [5, 6]
    for (let i = 0; i < 5 && tokens.at(-1) !== WHISPER.eosTokenId; i++) {
      const next = noGrad(() => {
        const prompt = tensor(BigInt64Array.from(tokens, BigInt), { shape: [1, tokens.length] })
        return network.forward(sound, prompt).logits.select(1, -1).argmax().toNumber()
      })
      tokens.push(next)
    }
    expect(written?.tokens).toEqual(tokens.slice(2))
  })
})

test('refuses what it cannot take, and says what it takes', () => {
  tidy(() => {
    const bert = new BertModel({ ...BERT, maxPositionEmbeddings: 4 })
    const ids = (...shape: number[]) => zeros(shape, { dtype: 'int64' })
    expect(() => bert.forward(ids(1, 5))).toThrow('BERT: 5 tokens; it has positions for 4')
    expect(() => bert.forward(ids(5))).toThrow('the tokens are [5]; they must be [N, L]')
    expect(() => bert.forward(ids(1, 3), { attentionMask: ids(1, 4) })).toThrow(
      'attentionMask is [1, 4]; it must be [1, 3]',
    )
    expect(() => bert.forward(ids(1, 3), { useCache: true })).toThrow('make it with isDecoder')
    expect(() => bert.forward(ids(1, 3), { encoderHiddenStates: zeros([1, 2, 8]) })).toThrow(
      'make it with encoderHiddenSize',
    )
    expect(() => new RobertaModel({ ...BERT, maxPositionEmbeddings: 6 }).forward(ids(1, 5))).toThrow(
      'it has positions for 4',
    )
    expect(() => new BertModel({ ...BERT, hiddenAct: 'swish' as never })).toThrow("there is no activation 'swish'")
    expect(() => new BertModel({ hidden: 3 } as never)).toThrow("there is no option 'hidden'")
    expect(() => new Wav2Vec2Model(WAV2VEC2).forward(zeros([1, 10]))).toThrow('[N, samples] with 20 samples or more')
    expect(() => new Wav2Vec2Model({ ...WAV2VEC2, convKernel: [10] })).toThrow('2 widths, 1 kernels and 2 strides')
    expect(() => new WhisperModel(WHISPER).forward(zeros([1, 8, 30]), ids(1, 2))).toThrow('it must be [N, 8, 20]')
  })
})
