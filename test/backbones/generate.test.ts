// Against the transformers package; tools/reference/backbones/gpt2.py, t5.py and blip_vilt.py wrote the texts.
import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  BertModel,
  BlipForConditionalGeneration,
  BlipForQuestionAnswering,
  type GeneratedText,
  type GenerateOptions,
  GPT2LMHeadModel,
  generate,
  T5ForConditionalGeneration,
} from '../../lib/backbones'
import { skipInit } from '../../lib/nn'
import { cat, noGrad, type Tensor, tensor, tidy, tidyAsync, zeros } from '../../lib/tensor'
import { fillWithHash, hashIntegers, hashTensor } from '../support/hash-weights'
import { liveTensors } from '../support/live-tensors'

type Cases = Readonly<Record<string, { ends: number[]; texts: number[][]; scores?: number[] }>>

interface Texts {
  readonly prompt: readonly (readonly number[])[]
  readonly mask: readonly (readonly number[])[]
  readonly cases: Cases
}

interface PictureTexts {
  readonly prompt: readonly number[]
  readonly question: readonly (readonly number[])[]
  readonly tasks: Readonly<Record<'captions' | 'promptedCaptions' | 'answers', Cases>>
}

const read = <T = Texts>(name: string) =>
  JSON.parse(readFileSync(new URL(`../fixtures/text/${name}.json`, import.meta.url), 'utf8')) as T
const integers = (rows: readonly (readonly number[])[]) =>
  tensor(BigInt64Array.from(rows.flat(), BigInt), { shape: [rows.length, rows[0]?.length ?? 0] })

const OPTIONS: Readonly<Record<string, GenerateOptions>> = {
  greedy: {},
  greedyWithEnd: {},
  beams: { numBeams: 3 },
  beamsWithEnd: { numBeams: 3 },
  beamsEarly: { numBeams: 4, earlyStopping: true, lengthPenalty: 0.5 },
  beamsNever: { numBeams: 4, earlyStopping: 'never', lengthPenalty: 2 },
}

function tinyGpt2(): GPT2LMHeadModel {
  const network = skipInit(
    () => new GPT2LMHeadModel({ vocabSize: 100, nPositions: 64, nEmbd: 32, nLayer: 3, nHead: 4 }),
  )
  fillWithHash(network)
  return network.eval()
}

let before = 0
beforeEach(async () => {
  before = await liveTensors()
})
afterEach(async () => {
  expect(await liveTensors()).toBe(before)
})

describe('GPT-2 writes what the transformers package has it write', () => {
  const { prompt, mask, cases } = read('gpt2-generate')
  test.each(Object.entries(cases))('%s', async (name, { ends, texts, scores }) => {
    await tidyAsync(async () => {
      const network = tinyGpt2()
      const options = { ...OPTIONS[name], maxNewTokens: 12, eosTokenId: ends, attentionMask: integers(mask) }
      const written = await network.generate(integers(prompt), options)
      expect(written.map(({ tokens }) => tokens)).toEqual(texts)
      if (scores) expect(written.map(({ score }) => score)).toEqual(scores.map((score) => expect.closeTo(score, 4)))
    })
  })
})

describe('T5 writes what the transformers package has it write', () => {
  const { prompt, mask, cases } = read('t5-generate')
  test.each(Object.entries(cases))('%s', async (name, { ends, texts, scores }) => {
    await tidyAsync(async () => {
      const size = { dModel: 32, dKv: 6, dFf: 48, numLayers: 2, numHeads: 4, vocabSize: 90 }
      using network = skipInit(() => new T5ForConditionalGeneration(size)).eval()
      fillWithHash(network)
      const options = { ...OPTIONS[name], maxNewTokens: 10, eosTokenId: ends, attentionMask: integers(mask) }
      const written = await network.generate(integers(prompt), options)
      expect(written.map(({ tokens }) => tokens)).toEqual(texts)
      if (scores) expect(written.map(({ score }) => score)).toEqual(scores.map((score) => expect.closeTo(score, 4)))
    })
  })
})

describe('BLIP writes what the transformers package has it write', () => {
  const { prompt, question, tasks } = read<PictureTexts>('blip-generate')
  const size = { hiddenSize: 32, numHiddenLayers: 2, numAttentionHeads: 4, intermediateSize: 48 }
  const sizes = { vision: { ...size, imageSize: 32 }, text: { ...size, vocabSize: 90 } }

  function expectTexts(written: readonly GeneratedText[], { texts, scores }: Cases[string]): void {
    expect(written.map(({ tokens }) => tokens)).toEqual(texts)
    if (scores) expect(written.map(({ score }) => score)).toEqual(scores.map((score) => expect.closeTo(score, 4)))
  }

  const captions = Object.entries(tasks.captions).map(([name, each]) => [name, [] as readonly number[], each] as const)
  const prompted = Object.entries(tasks.promptedCaptions).map(([name, each]) => [name, prompt, each] as const)
  test.each([...captions, ...prompted])('captions: %s, begun with [%s]', async (name, begun, each) => {
    await tidyAsync(async () => {
      using network = skipInit(() => new BlipForConditionalGeneration(sizes)).eval()
      fillWithHash(network)
      const options = { ...OPTIONS[name], maxNewTokens: 10, eosTokenId: each.ends, bosTokenId: 88, prompt: begun }
      expectTexts(await network.generate(hashTensor('images', [3, 3, 32, 32]), options), each)
    })
  })

  test.each(Object.entries(tasks.answers))('answers: %s', async (name, each) => {
    await tidyAsync(async () => {
      using network = skipInit(() => new BlipForQuestionAnswering(sizes)).eval()
      fillWithHash(network)
      const options = { ...OPTIONS[name], maxNewTokens: 10, eosTokenId: each.ends, bosTokenId: 88 }
      expectTexts(await network.generate(hashTensor('images', [3, 3, 32, 32]), integers(question), options), each)
    })
  })
})

test('a greedy score is the sum of the log-probabilities of its tokens', async () => {
  await tidyAsync(async () => {
    const network = tinyGpt2()
    const prompt = hashIntegers('prompt', [1, 5], 100)
    const [written] = await network.generate(prompt, { maxNewTokens: 6 })
    const tokens = written?.tokens ?? []
    const logits = noGrad(() => network.forward(cat([prompt, integers([tokens])], { dim: 1 })).logits)
    const logProbabilities = logits.logSoftmax(-1)
    const sum = tokens.reduce((total, token, i) => total + Number(logProbabilities.at(0, 4 + i, token).item()), 0)
    expect(written?.score).toBeCloseTo(sum, 4)
  })
})

test('a cached step equals the whole text at once, in GPT-2 and in a BERT that attends to an image', () => {
  noGrad(() =>
    tidy(() => {
      const tokens = hashIntegers('tokens', [2, 7], 100)
      const [first, rest] = [tokens.narrow(1, 0, 4), tokens.narrow(1, 4, 3)]
      const gpt2 = tinyGpt2()
      const whole = gpt2.forward(tokens).logits.narrow(1, 4, 3)
      const { cache } = gpt2.forward(first, { useCache: true })
      expect(gpt2.forward(rest, { cache }).logits.allclose(whole, { atol: 1e-5 })).toBe(true)

      const size = { vocabSize: 100, hiddenSize: 32, numHiddenLayers: 2, numAttentionHeads: 4, intermediateSize: 64 }
      const bert = skipInit(() => new BertModel({ ...size, isDecoder: true, encoderHiddenSize: 16 })).eval()
      fillWithHash(bert)
      const image = zeros([2, 5, 16]).add(0.5)
      const together = bert.forward(tokens, { encoderHiddenStates: image }).lastHiddenState.narrow(1, 4, 3)
      const seen = bert.forward(first, { encoderHiddenStates: image, useCache: true }).cache
      expect(bert.forward(rest, { cache: seen }).lastHiddenState.allclose(together, { atol: 1e-5 })).toBe(true)
    }),
  )
})

test('stops where its signal says, and frees what it held', async () => {
  await tidyAsync(async () => {
    using network = tinyGpt2()
    const stop = new AbortController()
    let steps = 0
    const step = (tokens: Tensor) => {
      if (++steps === 3) stop.abort()
      return { logits: network.forward(tokens).logits.select(1, -1), cache: [] }
    }
    const writing = generate(step, integers([[1, 2]]), { maxNewTokens: 10, signal: stop.signal })
    await expect(writing).rejects.toThrow('generate: stopped after 3 tokens')
  })
})

test('says why it cannot write', async () => {
  await tidyAsync(async () => {
    using network = tinyGpt2()
    const prompt = integers([[1, 2]])
    await expect(network.generate(prompt, { numBeams: 60 })).rejects.toThrow(
      '60 beams need 120 candidates, and there are 100 words',
    )
    await expect(network.generate(prompt, { maxNewTokens: 0 })).rejects.toThrow('maxNewTokens is 0')
    await expect(network.generate(prompt, { maxNewTokens: 80 })).rejects.toThrow('65 tokens; it has positions for 64')
    expect(() => new BertModel({ hiddenSize: 30, numAttentionHeads: 4 })).toThrow(
      'a width of 30 does not divide into 4 heads',
    )
  })
})
