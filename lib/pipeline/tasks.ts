// What can be done with a file, whichever system does it: commands and types of pipelines follow from these.
import type { ImageInput, VideoInput, VolumeInput } from './inputs'
import type {
  Classification,
  Detections,
  ImageResult,
  Match,
  Segments,
  TimeArrow,
  VideoResult,
  VolumeLabels,
} from './results'

/** What a task takes and gives. */
export interface TaskTypes {
  enhance: { input: ImageInput; output: ImageResult }
  denoise: { input: ImageInput; output: ImageResult }
  magnify: { input: VideoInput; output: VideoResult }
  segment3d: { input: VolumeInput; output: VolumeLabels }
  classify: { input: VideoInput; output: Classification }
  detect: { input: ImageInput; output: Detections }
  match: { input: readonly [ImageInput, ImageInput]; output: Match }
  localize: { input: VideoInput; output: Segments }
  'time-arrow': { input: VideoInput; output: TimeArrow }
}

export type TaskName = keyof TaskTypes

/** How the command of a task reads. */
export interface TaskCommand {
  /** In a line of help. */
  readonly summary: string
  /** What the files are, for help and messages. */
  readonly takes: string
  /** How many files make one input. */
  readonly files: 1 | 2
  /** Extensions of results, the usual one first. */
  readonly gives: readonly string[]
  /** A result is a file: there is nothing to print without one. */
  readonly needsOutput: boolean
  readonly example: string
}

const PICTURES = ['.png', '.jpg', '.jpeg', '.webp', '.avif', '.tif', '.tiff'] as const
const VIDEOS = ['.mp4', '.mov', '.mkv', '.webm', '.avi'] as const

export const TASKS: Readonly<Record<TaskName, TaskCommand>> = {
  enhance: {
    summary: 'brighten dark photographs',
    takes: 'image',
    files: 1,
    gives: PICTURES,
    needsOutput: true,
    example: 'enhance night.jpg -o day.png',
  },
  denoise: {
    summary: 'remove noise from photographs',
    takes: 'image',
    files: 1,
    gives: PICTURES,
    needsOutput: true,
    example: 'denoise noisy.png -o clean.png',
  },
  magnify: {
    summary: 'make small motions of a video large enough to see',
    takes: 'video',
    files: 1,
    gives: VIDEOS,
    needsOutput: true,
    example: 'magnify clip.mp4 -o magnified.mp4',
  },
  segment3d: {
    summary: 'find and number the objects of a volume',
    takes: 'volume',
    files: 1,
    gives: ['.npz', '.npy', '.png', '.jpg', '.json'],
    needsOutput: true,
    example: 'segment3d volume.npz -o labels.npz --weights mitochondria.safetensors',
  },
  classify: {
    summary: 'name the action of a video',
    takes: 'video',
    files: 1,
    gives: ['.json', '.svg', '.png'],
    needsOutput: false,
    example: 'classify clip.mp4 --weights actions.safetensors',
  },
  detect: {
    summary: 'find objects in photographs',
    takes: 'image',
    files: 1,
    gives: ['.json', ...PICTURES],
    needsOutput: false,
    example: 'detect photo.jpg -o drawn.png --weights detector.safetensors',
  },
  match: {
    summary: 'tell whether two pictures show the same identity',
    takes: 'image',
    files: 2,
    gives: ['.json', ...PICTURES],
    needsOutput: false,
    example: 'match a.png b.png --weights iris.safetensors',
  },
  localize: {
    summary: 'find when actions happen in a video',
    takes: 'video',
    files: 1,
    gives: ['.json', '.svg', '.png'],
    needsOutput: false,
    example: 'localize video.mp4 -o actions.json --weights localizer.safetensors',
  },
  'time-arrow': {
    summary: 'tell whether a video plays forward or backward',
    takes: 'video',
    files: 1,
    gives: ['.json', ...PICTURES, '.svg'],
    needsOutput: false,
    example: 'time-arrow clip.mp4 -o evidence.png --weights arrow.safetensors',
  },
}

export const TASK_NAMES = Object.keys(TASKS) as readonly TaskName[]
