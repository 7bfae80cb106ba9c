// Stems of English words (Porter 1980), with the later rules that NLTK adds.

const IRREGULAR: ReadonlyMap<string, string> = new Map([
  ['sky', 'sky'],
  ['skies', 'sky'],
  ['dying', 'die'],
  ['lying', 'lie'],
  ['tying', 'tie'],
  ['news', 'news'],
  ['innings', 'inning'],
  ['inning', 'inning'],
  ['outings', 'outing'],
  ['outing', 'outing'],
  ['cannings', 'canning'],
  ['canning', 'canning'],
  ['howe', 'howe'],
  ['proceed', 'proceed'],
  ['exceed', 'exceed'],
  ['succeed', 'succeed'],
])

/** `y` is a consonant at the beginning and after a vowel. */
function isConsonant(word: string, i: number): boolean {
  const letter = word.charAt(i)
  if ('aeiou'.includes(letter)) return false
  return letter !== 'y' || i === 0 || !isConsonant(word, i - 1)
}

/** How often vowels are followed by consonants: m in the paper. */
function measure(stem: string): number {
  let count = 0
  for (let i = 1; i < stem.length; i++) if (isConsonant(stem, i) && !isConsonant(stem, i - 1)) count++
  return count
}

const hasVowel = (stem: string) => Array.from(stem, (_, i) => isConsonant(stem, i)).includes(false)

function endsDouble(word: string): boolean {
  const last = word.length - 1
  return last > 0 && word[last] === word[last - 1] && isConsonant(word, last)
}

/** Consonant, vowel, consonant other than w, x and y: *o in the paper. */
function endsShort(word: string): boolean {
  const last = word.length - 1
  if (word.length === 2) return !isConsonant(word, 0) && isConsonant(word, 1)
  const cvc = word.length > 2 && isConsonant(word, last - 2) && !isConsonant(word, last - 1) && isConsonant(word, last)
  return cvc && !'wxy'.includes(word.charAt(last))
}

type Rule = readonly [suffix: string, replacement: string]

/** The first rule whose suffix the word has, where its stem is long enough. */
function applyRules(word: string, rules: readonly Rule[], applies: (stem: string, suffix: string) => boolean): string {
  const rule = rules.find(([suffix]) => word.endsWith(suffix))
  if (!rule) return word
  const stem = word.slice(0, word.length - rule[0].length)
  return applies(stem, rule[0]) ? stem + rule[1] : word
}

function step1a(word: string): string {
  if (word.endsWith('ies') && word.length === 4) return word.slice(0, -1)
  return applyRules(
    word,
    [
      ['sses', 'ss'],
      ['ies', 'i'],
      ['ss', 'ss'],
      ['s', ''],
    ],
    () => true,
  )
}

function step1b(word: string): string {
  if (word.endsWith('ied')) return word.slice(0, word.length === 4 ? -1 : -2)
  if (word.endsWith('eed')) return measure(word.slice(0, -3)) > 0 ? word.slice(0, -1) : word
  const suffix = ['ed', 'ing'].find((each) => word.endsWith(each) && hasVowel(word.slice(0, -each.length)))
  if (!suffix) return word
  const stem = word.slice(0, -suffix.length)
  if (/(?:at|bl|iz)$/.test(stem)) return `${stem}e`
  if (endsDouble(stem)) return /[lsz]$/.test(stem) ? stem : stem.slice(0, -1)
  return measure(stem) === 1 && endsShort(stem) ? `${stem}e` : stem
}

function step1c(word: string): string {
  const stem = word.slice(0, -1)
  return word.endsWith('y') && stem.length > 1 && isConsonant(stem, stem.length - 1) ? `${stem}i` : word
}

const STEP2: readonly Rule[] = [
  ['ational', 'ate'],
  ['tional', 'tion'],
  ['enci', 'ence'],
  ['anci', 'ance'],
  ['izer', 'ize'],
  ['bli', 'ble'],
  ['alli', 'al'],
  ['entli', 'ent'],
  ['eli', 'e'],
  ['ousli', 'ous'],
  ['ization', 'ize'],
  ['ation', 'ate'],
  ['ator', 'ate'],
  ['alism', 'al'],
  ['iveness', 'ive'],
  ['fulness', 'ful'],
  ['ousness', 'ous'],
  ['aliti', 'al'],
  ['iviti', 'ive'],
  ['biliti', 'ble'],
  ['fulli', 'ful'],
  ['logi', 'log'],
]

function step2(word: string): string {
  if (word.endsWith('alli') && measure(word.slice(0, -4)) > 0) return step2(word.slice(0, -2))
  // The l of -logi counts with the stem.
  return applyRules(word, STEP2, (stem, suffix) => measure(suffix === 'logi' ? `${stem}l` : stem) > 0)
}

const STEP3: readonly Rule[] = [
  ['icate', 'ic'],
  ['ative', ''],
  ['alize', 'al'],
  ['iciti', 'ic'],
  ['ical', 'ic'],
  ['ful', ''],
  ['ness', ''],
]

const STEP4: readonly Rule[] = 'al ance ence er ic able ible ant ement ment ent ion ou ism ate iti ous ive ize'
  .split(' ')
  .map((suffix) => [suffix, ''])

function step5(word: string): string {
  const stem = word.slice(0, -1)
  const bare = word.endsWith('e') && (measure(stem) > 1 || (measure(stem) === 1 && !endsShort(stem))) ? stem : word
  return bare.endsWith('ll') && measure(bare.slice(0, -1)) > 1 ? bare.slice(0, -1) : bare
}

/** The stem of an English word, in lower case: `running` → `run`, `happily` → `happili`. */
export function porterStem(word: string): string {
  const lower = word.toLowerCase()
  const irregular = IRREGULAR.get(lower)
  if (irregular !== undefined || lower.length <= 2) return irregular ?? lower
  let stem = step2(step1c(step1b(step1a(lower))))
  stem = applyRules(stem, STEP3, (rest) => measure(rest) > 0)
  stem = applyRules(stem, STEP4, (rest, suffix) => measure(rest) > 1 && (suffix !== 'ion' || /[st]$/.test(rest)))
  return step5(stem)
}
