// What COCO's evaluation reads, by the names of COCO's files.
import type { CocoBox, CocoRle } from './rle'

/** An outline: polygons in parts, or run lengths. */
export type CocoSegmentation = readonly (readonly number[])[] | CocoRle

/** An annotated object. */
export interface CocoObject {
  readonly image_id: number
  readonly category_id: number
  readonly bbox: CocoBox
  /** Of the outline in pixels; decides whether the object counts as small, medium or large. */
  readonly area: number
  /** 1 for a group whose members were not told apart. */
  readonly iscrowd?: number | boolean
  readonly segmentation?: CocoSegmentation
  readonly keypoints?: readonly number[]
  /** Points that are marked; counted from `keypoints` unless stated. */
  readonly num_keypoints?: number
}

/** A picture; its size is needed for masks. */
export interface CocoPicture {
  readonly id: number
  readonly width: number
  readonly height: number
}

/** What a data set says. */
export interface CocoTruth {
  readonly images: readonly CocoPicture[]
  readonly categories: readonly { readonly id: number }[]
  readonly annotations: readonly CocoObject[]
}

/** What a detector says. */
export interface CocoDetection {
  readonly image_id: number
  readonly category_id: number
  readonly score: number
  readonly bbox?: CocoBox
  readonly segmentation?: CocoSegmentation
  readonly keypoints?: readonly number[]
}
