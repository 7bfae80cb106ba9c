// Finds things in a photograph and draws them: `npm run example:detection -- [photo] [-o picture.png]`.
// Options: --model NAME (any detector of the registry), --weights FILE (.safetensors or .pth), --score MIN, --top N.
// Without weights the network is a random one: the pipeline is real, its boxes mean nothing.
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import { manualSeed, noGrad, type Tensor, tidyAsync } from '@lab/vision-native'
import {
  backboneNames,
  createBackbone,
  type Detection,
  Detector,
  LAYOUTS,
  loadPublished,
} from '@lab/vision-native/backbones'
import { loadPth, readImage, readSafetensors, stateDictOf, writeImage } from '@lab/vision-native/io'
import { drawBoundingBoxes, drawKeypoints, drawSegmentationMasks } from '@lab/vision-native/vision'

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    model: { type: 'string', default: 'ssdlite320_mobilenet_v3_large' },
    weights: { type: 'string' },
    score: { type: 'string' },
    top: { type: 'string', default: '12' },
    output: { type: 'string', short: 'o', default: 'build/detection.png' },
  },
})
const [photo = 'examples/data/rubberwhale1.png'] = positionals

type Weights = ReadonlyMap<string, Tensor>

async function readWeights(path: string): Promise<Weights> {
  return path.endsWith('.pth') ? stateDictOf(await loadPth(path)) : readSafetensors(path)
}

/** torchvision's first files: convolutions of the pyramid without the block around them. */
const isFirstLayout = (weights: Weights) => weights.has('backbone.fpn.inner_blocks.0.weight')

/** What norms a file was trained with: those that do not change count no batches. */
function normsOf(weights: Weights) {
  const names = [...weights.keys()]
  const frozen = names.some((name) => name.endsWith('running_var')) && !names.some((name) => name.endsWith('tracked'))
  return frozen ? { frozenNorm: isFirstLayout(weights) ? { eps: 0 } : true } : {}
}

function makeDetector(name: string, weights?: Weights): Detector {
  const known = backboneNames().find((each) => each === name)
  if (known === undefined) throw new Error(`there is no network '${name}'`)
  manualSeed(1)
  const network: unknown = createBackbone(known, weights && normsOf(weights))
  if (!(network instanceof Detector)) throw new Error(`'${name}' is no detector`)
  if (weights && isFirstLayout(weights)) loadPublished(network, weights, LAYOUTS['detection-torchvision-v1'])
  else if (weights) network.loadStateDict(weights)
  return network.eval()
}

/** The best detections, of at least the score asked for. */
function best(found: Detection): Detection {
  const scores = found.scores.toArray() as number[]
  const least = Number(options.score ?? (options.weights ? 0.5 : 0))
  const places = scores.flatMap((score, i) => (score >= least ? [i] : [])).slice(0, Number(options.top))
  const { boxes, labels, masks, keypoints } = found
  return {
    boxes: boxes.at(places),
    labels: labels.at(places),
    scores: found.scores.at(places),
    ...(masks && { masks: masks.at(places) }),
    ...(keypoints && { keypoints: keypoints.at(places) }),
  }
}

await tidyAsync(async () => {
  const detector = makeDetector(options.model, options.weights ? await readWeights(options.weights) : undefined)
  const image = await readImage(photo, { dtype: 'float32' })
  const [found] = noGrad(() => detector.forward([image]))
  if (found === undefined) throw new Error('the detector gave nothing for the image')
  const { boxes, labels, scores, masks, keypoints } = best(found)

  const names = (labels.toArray() as number[]).map((label, i) => `${label} ${scores.at(i).toNumber().toFixed(2)}`)
  let picture = masks ? drawSegmentationMasks(image, masks.squeeze(1).gt(0.5), { alpha: 0.5 }) : image
  picture = await drawBoundingBoxes(picture, boxes, { labels: names })
  if (keypoints) picture = await drawKeypoints(picture, keypoints)
  mkdirSync(dirname(options.output), { recursive: true })
  await writeImage(picture, options.output)
  console.log(`${options.model}: ${names.length} of ${found.scores.size(0)} detections drawn to ${options.output}`)
})
