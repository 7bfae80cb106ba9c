import type { Target } from './target'

const tensors = () => import('./targets/tensors')
const pictures = () => import('./targets/pictures')
const annotations = () => import('./targets/annotations')
const geometry = () => import('./targets/geometry')
const text = () => import('./targets/text')
const media = () => import('./targets/media')

/** Every parser by name; a target's files are read when it is asked for. */
export const TARGETS = {
  safetensors: async () => (await tensors()).safetensors,
  'safetensors-shards': async () => (await tensors()).shards,
  pth: async () => (await tensors()).pthZip,
  'pth-legacy': async () => (await tensors()).pthLegacy,
  pickle: async () => (await tensors()).pickle,
  npy: async () => (await tensors()).npyArray,
  npz: async () => (await tensors()).npz,
  zip: async () => (await tensors()).zip,
  image: async () => (await pictures()).image,
  png: async () => (await pictures()).png,
  flo: async () => (await pictures()).flo,
  'flow-png': async () => (await pictures()).flowPng,
  video: async () => (await media()).video,
  audio: async () => (await media()).audio,
  coco: async () => (await annotations()).coco,
  'coco-captions': async () => (await annotations()).cocoCaptions,
  'coco-results': async () => (await annotations()).cocoResults,
  masks: async () => (await annotations()).masks,
  voc: async () => (await annotations()).voc,
  yolo: async () => (await annotations()).yolo,
  'yolo-names': async () => (await annotations()).yoloNames,
  dota: async () => (await annotations()).dota,
  tt100k: async () => (await annotations()).tt100k,
  actions: async () => (await annotations()).actions,
  lists: async () => (await annotations()).lists,
  'video-lists': async () => (await annotations()).videoLists,
  'iris-list': async () => (await annotations()).irisList,
  tiles: async () => (await annotations()).tiles,
  ply: async () => (await geometry()).ply,
  obj: async () => (await geometry()).obj,
  pcd: async () => (await geometry()).pcd,
  xyz: async () => (await geometry()).xyz,
  tokenizer: async () => (await text()).tokenizer,
  vocabulary: async () => (await text()).vocabulary,
  events: async () => (await text()).events,
  records: async () => (await text()).records,
  config: async () => (await text()).config,
  settings: async () => (await text()).settings,
  weights: async () => (await import('./targets/weights')).weights,
  bridge: async () => (await import('./targets/bridge')).bridgeCalls,
} satisfies Readonly<Record<string, () => Promise<Target>>>

export type TargetName = keyof typeof TARGETS
export const TARGET_NAMES = Object.keys(TARGETS) as TargetName[]

export const isTargetName = (name: string): name is TargetName => Object.hasOwn(TARGETS, name)
