// Against nltk, sacreBLEU, rouge-score and the COCO caption evaluation; tools/reference/text_metrics.py wrote the numbers.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  bleu,
  captionWords,
  cider,
  ciderD,
  corpusMeteor,
  corpusRougeL,
  corpusSpiceLite,
  meteor,
  porterStem,
  rougeL,
  spiceLite,
} from '../../lib/text'

const reference = JSON.parse(readFileSync(new URL('../fixtures/text/metrics.json', import.meta.url), 'utf8'))
const candidates: string[][] = reference.candidates.map((text: string) => text.split(' '))
const references: string[][][] = reference.references.map((texts: string[]) => texts.map((text) => text.split(' ')))
const close = (values: readonly number[], digits = 9) => values.map((value) => expect.closeTo(value, digits))
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length

describe('BLEU', () => {
  test('equals the COCO caption evaluation, sacreBLEU and nltk', () => {
    const { scores, precisions, brevityPenalty, length, referenceLength } = bleu(candidates, references)
    // The COCO evaluation adds 1e-9 to its denominators.
    expect(scores).toEqual(close(reference.cocoBleu, 8))
    // nltk counts a run of four in the text that has three words.
    expect(scores.slice(0, 3)).toEqual(close(reference.nltkBleu.slice(0, 3)))
    const sacre = reference.sacreBleu.none
    expect([scores[3], brevityPenalty, length, referenceLength]).toEqual(
      close([sacre.score, sacre.bp, sacre.length, sacre.referenceLength]),
    )
    expect(precisions).toEqual(close(sacre.precisions))
  })

  test('is smoothed as sacreBLEU does, and 0 where runs are too short to count', () => {
    const few = [['a', 'cat', 'sat'], ['dog']]
    const of = [[['the', 'cat', 'lay', 'down']], [['the', 'dog']]]
    expect(bleu(few, of, { smoothing: 'exp' }).scores[3]).toBeCloseTo(reference.fewWords, 9)
    // 2 of 4 words match, and none of 2 pairs: √(1/2 · 1/4) · exp(1 − 6/4).
    expect(bleu(few, of, { smoothing: 'exp' }).scores[1]).toBeCloseTo(Math.sqrt(1 / 8) * Math.exp(-0.5), 12)
    expect(bleu(few, of).scores[1]).toBe(0)
    expect(bleu(['a b c d'], [['a b c d']]).scores).toEqual([1, 1, 1, 1])
  })
})

test('ROUGE-L equals the COCO caption evaluation, and rouge-score when balanced', () => {
  candidates.forEach((candidate, i) => {
    const own = references[i] as string[][]
    expect(rougeL(candidate, own).fMeasure).toBeCloseTo(reference.rouge[i], 9)
    const { precision, recall, fMeasure } = rougeL(candidate, own.slice(0, 1), { beta: 1 })
    expect([precision, recall, fMeasure]).toEqual(close(reference.rougePairs[i]))
  })
  expect(corpusRougeL(candidates, references)).toBeCloseTo(mean(reference.rouge), 9)
})

test('METEOR equals nltk’s without synonyms', () => {
  const scores = candidates.map((candidate, i) => meteor(candidate, references[i] as string[][]))
  expect(scores).toEqual(close(reference.meteor))
  expect(corpusMeteor(candidates, references)).toBeCloseTo(mean(reference.meteor), 9)
  // Two of two words match by their stems, in one run: 1 − 0.5 · (1/2)³.
  expect(meteor(['running', 'dogs'], [['runs', 'dog']])).toBeCloseTo(1 - 0.5 / 8, 12)
})

test('CIDEr-D equals the COCO caption evaluation, CIDEr the paper’s formula', () => {
  expect(ciderD(candidates, references).scores).toEqual(close(reference.ciderD))
  expect(ciderD(candidates, references).score).toBeCloseTo(mean(reference.ciderD), 9)
  expect(cider(candidates, references).scores).toEqual(close(reference.cider))
  expect(cider(['a b'], [['a b']]).score).toBe(0)
})

test('stems are nltk’s', () => {
  const stems = Object.fromEntries(Object.keys(reference.stems).map((word) => [word, porterStem(word)]))
  expect(stems).toEqual(reference.stems)
})

test('SPICE-lite is the F-measure of content words and their neighbours', () => {
  // Said: man, ride, horse, man ride, ride horse. Known: man, rode, horse, man rode, rode horse. 2 of 5 both ways.
  expect(spiceLite('A man rides a horse.', ['the man rode the horse'])).toBeCloseTo(2 / 5, 12)
  // Known besides: brown, brown horse, ride, man ride, ride brown; so 4 of 5 said, of 10 known.
  expect(spiceLite('A man rides a horse.', ['the man rode the horse', 'man riding brown horse'])).toBeCloseTo(
    (2 * 0.8 * 0.4) / 1.2,
    12,
  )
  expect(corpusSpiceLite(['a dog', 'a cat'], [['dogs'], ['a tree']])).toBe(0.5)
  expect(spiceLite('the', ['a dog'])).toBe(0)
})

test('captions are split into words as the COCO evaluation splits them', () => {
  expect(captionWords('A man, in a T-shirt, isn’t riding.')).toEqual(expect.arrayContaining(['t-shirt', 'riding']))
  expect(captionWords("The dog doesn't care... it's a man's hat!")).toEqual([
    'the',
    'dog',
    'does',
    "n't",
    'care',
    'it',
    "'s",
    'a',
    'man',
    "'s",
    'hat',
  ])
  expect(captionWords('At 10:30 -- 2 "big" dogs; U.S. flag')).toContain('dogs')
  expect(captionWords('')).toEqual([])
})

test.each([
  [() => bleu([], []), /0 texts and references for 0/],
  [() => bleu(['a'], [['a'], ['b']]), /1 texts and references for 2/],
  [() => ciderD(['a'], [[]]), /text 0 has no reference/],
  [() => bleu(['a'], [['a']], { maxOrder: 0 }), /maxOrder is 0/],
])('refuses texts and references that do not go together: %#', (call, message) => {
  expect(call).toThrow(message)
})
