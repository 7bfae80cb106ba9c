import type { Module } from '../../../nn'
import type { Tensor } from '../../../tensor'
import type { Variant } from './config'

/** What a localizer says of a batch of videos. */
export interface Localized {
  /** `[B, L, C]`, or `[B, L, C + 1]` with the background last. */
  readonly activation: Tensor
  /** Where actions are: attention `[B, L, 1]` in 0–1, or CoLA's actionness `[B, L]`. */
  readonly attention: Tensor
}

/** A localizer on features of both streams, `[B, L, 2D]`, RGB first. */
export interface HostNetwork extends Module {
  forward(x: Tensor): Localized
  /** @param labels `[B, C]` of 0 and 1 */
  loss(x: Tensor, labels: Tensor): Tensor
}

export interface HostOptions {
  /** Values of a segment in each stream; even. */
  readonly features: number
  readonly classes: number
  readonly variant: Variant
  /** Segments that are drawn of a video in training: the averages of ActivityNet's networks are a share of them. */
  readonly segments: number
  /** A video's score of a class is the mean of the best 1/topK of its segments. */
  readonly topK: number
}
