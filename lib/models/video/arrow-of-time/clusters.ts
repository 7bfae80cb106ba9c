// What the network has learnt: clusters of clips by their features (Figs. 3 and 4).

import { ConfigError } from '../../../native/errors'
import { functional as F } from '../../../nn'
import { capture, cat, full, noGrad, stack, type Tensor, tensor, tidy, tidyAsync } from '../../../tensor'
import { type KMeansOptions, kMeans } from '../../../vision'
import { drawOver, levels } from '../../../vision/overlay'
import { groupStarts } from './chunks'
import type { ClipSource } from './clips'
import { TCam } from './model'
import type { ArrowPredictor } from './predict'
import type { CameraMotion } from './stabilise'

/** A clip as the network sees it. */
export interface ClipFeature {
  /** Mean of the pooled maps over the centre views of all groups. */
  readonly feature: Float32Array
  /** Mean probability of forward of these views. */
  readonly forward: number
}

/** @throws ConfigError for a network without pooled maps */
export async function clipFeature(predictor: ArrowPredictor, clip: ClipSource): Promise<ClipFeature> {
  const { model, config, layout, device } = predictor
  if (!(model instanceof TCam)) throw new ConfigError('clipFeature: alexnet has no pooled maps; take a T-CAM')
  using look = capture((x: Tensor) =>
    noGrad(() => {
      const { pooled, logits } = model.evidence(x)
      return cat([pooled, logits.sigmoid()], { dim: 1 })
    }),
  )
  const starts = groupStarts(clip.length, layout.span, config.inference.groups)
  return tidyAsync(async () => {
    const views: Tensor[] = []
    for (const start of starts) views.push(predictor.centre(await clip.read(start, layout.span)).view)
    const rows = await look(stack(views).to(device))
    const mean = (await rows.mean({ dim: [0] }).data()) as Float32Array
    return { feature: mean.slice(0, -1), forward: mean.at(-1) ?? 0.5 }
  })
}

/** What is known of a clip that enters the analysis, in the direction in which it is shown. */
export interface AnalysedClip extends ClipFeature {
  readonly name: string
  /** Whether the direction shown is forward. */
  readonly isForward: boolean
  readonly camera?: CameraMotion | undefined
}

export interface Cluster {
  /** Places in the list of clips, the nearest to the centre first. */
  readonly members: readonly number[]
  /** Share of the members that are shown forward; near 0 or 1 the cluster is pure. */
  readonly label: number
  /** The larger of `label` and 1 − `label`. */
  readonly purity: number
  /** Mean motion of the camera, where it is known. */
  readonly camera: CameraMotion | undefined
}

export interface ClusterOptions extends KMeansOptions {
  /** K; 20 unless stated. */
  readonly clusters?: number
  /** How many of the surest clips enter; 1000 unless stated. */
  readonly most?: number
}

/** Clusters of the clips that the network is surest of, the purest first. */
export function clusterClips(clips: readonly AnalysedClip[], options: ClusterOptions = {}): Cluster[] {
  const { clusters = 20, most = 1000, ...rest } = options
  const sure = [...clips.keys()].sort((a, b) => sureness(clips[b]) - sureness(clips[a]) || a - b).slice(0, most)
  return tidy(() => {
    const rows = sure.map((i) => clips[i]?.feature ?? new Float32Array())
    const points = stack(rows.map((row) => tensor(row)))
    const { labels, centres } = kMeans(points, clusters, rest)
    const centreRows = Array.from({ length: clusters }, (_, k) => centres.select(0, k).dataSync() as Float32Array)
    return Array.from({ length: clusters }, (_, k) => {
      const distance = (i: number) => squared(clips[i]?.feature, centreRows[k])
      const members = sure.filter((_, place) => labels[place] === k).sort((a, b) => distance(a) - distance(b))
      return describeCluster(members, clips)
    })
      .filter(({ members }) => members.length > 0)
      .sort((a, b) => b.purity - a.purity)
  })
}

const sureness = (clip: ClipFeature | undefined) => Math.abs((clip?.forward ?? 0.5) - 0.5)

function squared(a: Float32Array | undefined, b: Float32Array | undefined): number {
  return (a ?? new Float32Array()).reduce((sum, value, i) => sum + (value - (b?.[i] ?? 0)) ** 2, 0)
}

function describeCluster(members: readonly number[], clips: readonly AnalysedClip[]): Cluster {
  const label = mean(members.map((i) => (clips[i]?.isForward ? 1 : 0)))
  const cameras = members.flatMap((i) => clips[i]?.camera ?? [])
  const camera: CameraMotion | undefined =
    cameras.length === 0
      ? undefined
      : {
          pan: [mean(cameras.map(({ pan }) => pan[0])), mean(cameras.map(({ pan }) => pan[1]))],
          zoom: mean(cameras.map(({ zoom }) => zoom)),
        }
  return { members, label, purity: Math.max(label, 1 - label), camera }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

const THUMBNAIL = 120
const CAPTION = 220
const SHOWN = 4

/**
 * A picture of the clusters: four clips of each, the nearest to its centre, with purity, pan and zoom.
 *
 * @param frameOf a frame of a clip by its place, `[3, H, W]` uint8
 * @returns `[3, H, W]` uint8
 */
export async function clusterSheet(
  clusters: readonly Cluster[],
  frameOf: (clip: number) => Promise<Tensor>,
): Promise<Tensor<'uint8'>> {
  return tidyAsync(async () => {
    const rows: Tensor[] = []
    for (const { members } of clusters) {
      const pictures: Tensor[] = []
      for (const member of members.slice(0, SHOWN)) pictures.push(thumbnail(await frameOf(member)))
      while (pictures.length < SHOWN) pictures.push(full([3, THUMBNAIL, THUMBNAIL], 255))
      rows.push(cat([full([3, THUMBNAIL, CAPTION], 255), ...pictures], { dim: 2 }))
    }
    const sheet = cat(rows, { dim: 1 }).round().to('uint8')
    const captions = clusters.map(({ members, label, camera }, row) => {
      const lines = [
        `${members.length} clips, label ${label.toFixed(2)}`,
        ...(camera
          ? [`pan ${camera.pan.map((x) => x.toFixed(2)).join(', ')} px`, `zoom ${camera.zoom.toFixed(4)}`]
          : []),
      ]
      return lines.map((line, i) => `<text x="8" y="${row * THUMBNAIL + 30 + 22 * i}">${line}</text>`).join('')
    })
    const group = `<g font-family="sans-serif" font-size="15" fill="#202020">${captions.join('')}</g>`
    return drawOver('clusterSheet', sheet, group)
  })
}

/** A picture fitted into a square, on white. */
function thumbnail(frame: Tensor): Tensor {
  const [height = 1, width = 1] = frame.shape.slice(-2)
  const scale = THUMBNAIL / Math.max(height, width)
  const size = [Math.max(1, Math.round(height * scale)), Math.max(1, Math.round(width * scale))] as const
  const small = F.interpolate(levels(frame).unsqueeze(0), {
    size: [...size],
    mode: 'bilinear',
    antialias: true,
  }).squeeze(0)
  const square = full([3, THUMBNAIL, THUMBNAIL], 255)
  const [top, left] = size.map((side) => Math.floor((THUMBNAIL - side) / 2)) as [number, number]
  square.narrow(1, top, size[0]).narrow(2, left, size[1]).copy_(small)
  return square
}
