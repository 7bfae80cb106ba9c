"""test/fixtures/text/metrics.json, from nltk, sacrebleu, rouge-score and pycocoevalcap."""
import collections
import json
import math
import pathlib
import random

import nltk
import numpy as np
import sacrebleu
from nltk.stem.porter import PorterStemmer
from nltk.translate.bleu_score import corpus_bleu
from nltk.translate.meteor_score import meteor_score
from pycocoevalcap.bleu.bleu_scorer import BleuScorer
from pycocoevalcap.cider.cider_scorer import CiderScorer
from pycocoevalcap.rouge.rouge import Rouge
from rouge_score import rouge_scorer

random.seed(0)
SCENES = [
    'a man is riding a brown horse along the beach', 'two dogs are running happily behind a red ball in the park',
    'a woman holds a yellow umbrella in front of a taxi', 'several bicycles are parked near the old train station',
    'children playing on the wooden swings while it rains', 'a plate of food with broccoli carrots and rice on a table',
    'the cat sleeps on a sofa next to the sleeping dog', 'a surfer rides a large wave in the ocean at sunset',
]
OTHER = 'man men riding rides rode horse horses running runs large big the a of and with table tables children child dog dogs park beach red happy happily'.split()


def varied(text, changes):
    words = text.split()
    for _ in range(changes):
        place = random.randrange(len(words))
        act = random.random()
        if act < 0.35:
            words[place] = random.choice(OTHER)
        elif act < 0.6 and len(words) > 3:
            del words[place]
        elif act < 0.85:
            words.insert(place, random.choice(OTHER))
        else:
            other = random.randrange(len(words))
            words[place], words[other] = words[other], words[place]
    return ' '.join(words)


references = [[varied(scene, k) for k in (1, 2, 4)] + [scene] for scene in SCENES] * 2
candidates = [varied(scene, k) for k in (2, 5) for scene in SCENES]
candidates[3] = 'nothing matches here'
candidates[6] = references[6][0]


class NoWords:
    def synsets(self, word):
        return []


def plain_cider():
    """From the paper's equations 1 and 2, by numpy over one vocabulary for each length of runs."""
    def runs(text, n):
        words = text.split()
        return collections.Counter(tuple(words[i:i + n]) for i in range(len(words) - n + 1))
    images = len(references)
    total = np.zeros(images)
    for n in range(1, 5):
        vocabulary = sorted({run for texts in references for text in texts for run in runs(text, n)} | {run for text in candidates for run in runs(text, n)})
        seen = np.array([sum(any(run in runs(text, n) for text in texts) for texts in references) for run in vocabulary])
        rarity = math.log(images) - np.log(np.maximum(seen, 1))
        vector = lambda text: np.array([runs(text, n).get(run, 0) for run in vocabulary]) * rarity
        for i, (candidate, texts) in enumerate(zip(candidates, references)):
            a = vector(candidate)
            for text in texts:
                b = vector(text)
                scale = np.linalg.norm(a) * np.linalg.norm(b)
                total[i] += (a @ b / scale if scale > 0 else 0) / len(texts) / 4
    return (10 * total).tolist()


bleu = BleuScorer(n=4)
cider = CiderScorer(n=4, sigma=6.0)
for candidate, texts in zip(candidates, references):
    bleu += (candidate, texts)
    cider += (candidate, texts)
coco_bleu, _ = bleu.compute_score(option='closest')
cider_mean, cider_each = cider.compute_score()
rouge_each = [Rouge().calc_score([candidate], texts) for candidate, texts in zip(candidates, references)]
scorer = rouge_scorer.RougeScorer(['rougeL'])
pairs = [scorer.score(texts[0], candidate)['rougeL'] for candidate, texts in zip(candidates, references)]
streams = list(map(list, zip(*references)))
sacre = {name: sacrebleu.corpus_bleu(candidates, streams, tokenize='none', smooth_method=name) for name in ('none', 'exp')}
few = sacrebleu.corpus_bleu(['a cat sat', 'dog'], [['the cat lay down', 'the dog']], tokenize='none', smooth_method='exp')
WORDS = '''caresses ponies ties caress cats feed agreed plastered bled motoring sing conflated troubled sized hopping tanned falling hissing fizzed failing filing happy sky
relational conditional rational valenci hesitanci digitizer conformabli radicalli differentli vileli analogousli vietnamization predication operator feudalism decisiveness
hopefulness callousness formaliti sensitiviti sensibiliti triplicate formative formalize electriciti electrical hopeful goodness revival allowance inference airliner
gyroscopic adjustable defensible irritant replacement adjustment dependent adoption homologou communism activate angulariti homologous effective bowdlerize probate rate
cease controll roll dying lying skies news innings proceed enjoy enjoyment spied tries flies die died tied playing played plays player psychology geology apology
carefully equally generally universally running runner ran children boxes watches oxen yes syzygy toy by say says an ism up eyed used using uses it's O'Neil sleeping
umbrellas bicycles surfing surfer wooden broccoli quickly quickness argued arguing argument organization organize happiness university'''.split()
stemmer = PorterStemmer()
written = {
    'source': f'nltk {nltk.__version__}, sacrebleu {sacrebleu.__version__}, rouge-score 0.1.2, pycocoevalcap 1.2',
    'candidates': candidates,
    'references': references,
    'cocoBleu': coco_bleu,
    'nltkBleu': [corpus_bleu([[t.split() for t in texts] for texts in references], [c.split() for c in candidates], weights=[1 / n] * n) for n in (1, 2, 3, 4)],
    'sacreBleu': {name: {'score': s.score / 100, 'precisions': [p / 100 for p in s.precisions], 'bp': s.bp, 'length': s.sys_len, 'referenceLength': s.ref_len} for name, s in sacre.items()},
    'fewWords': few.score / 100,
    'rouge': [float(v) for v in rouge_each],
    'rougePairs': [[p.precision, p.recall, p.fmeasure] for p in pairs],
    'meteor': [meteor_score([t.split() for t in texts], c.split(), wordnet=NoWords()) for c, texts in zip(candidates, references)],
    'ciderD': [float(v) for v in cider_each],
    'cider': plain_cider(),
    'stems': {word: stemmer.stem(word) for word in WORDS},
}
path = pathlib.Path(__file__).resolve().parents[2] / 'test' / 'fixtures' / 'text' / 'metrics.json'
path.write_text('{\n' + ',\n'.join(f'{json.dumps(k)}: {json.dumps(v)}' for k, v in written.items()) + '\n}\n')
print({k: v for k, v in written.items() if 'Bleu' in k}, written['meteor'][:3], written['ciderD'][:3], written['cider'][:3])
