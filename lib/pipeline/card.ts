// What a paper states: the part of a system that lists and pages are made from without loading the system.
import type { TaskName } from './tasks'

/** Where a system was published. */
export interface Paper {
  readonly title: string
  readonly venue: string
  readonly year: number
}

/** The number of parameters of a network, for a test that makes it and counts. */
export interface ParameterCount {
  /** Such as `fusion network`. */
  readonly network: string
  readonly count: number
  /** Options of the system's config that it is the count of; the defaults unless stated. */
  readonly config?: Readonly<Record<string, unknown>>
  /** Dotted name of the part that is counted; the whole model unless stated. */
  readonly part?: string
}

/** A number that the paper reports. */
export interface PublishedResult {
  readonly dataset: string
  readonly metric: string
  readonly value: number
  /** Which variant, split or setting. */
  readonly setting?: string
}

/** A data set the paper trains or tests on. */
export interface DatasetNote {
  readonly name: string
  /** Files and folders that the reader expects. */
  readonly layout: string
  readonly note?: string
}

/** What `vision-native info` prints; `card.ts` of a system holds data only, so that reading it is cheap. */
export interface SystemCard {
  readonly name: string
  readonly family: string
  readonly task: TaskName
  /** What it does, in a line. */
  readonly summary: string
  readonly paper: Paper
  readonly parameters: readonly ParameterCount[]
  readonly published: readonly PublishedResult[]
  readonly datasets: readonly DatasetNote[]
  /** It runs without weights: it trains on what it is given. */
  readonly selfTraining?: boolean
  /** It has no parameters: nothing is trained, and it needs no weights. */
  readonly untrained?: boolean
}
