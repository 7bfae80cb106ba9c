// Published weights: what there is, fetching and checking them, and which network a file is of.
export { type AdaptedState, adaptState } from './adapt'
export { type Downloaded, type DownloadOptions, download, type Expected } from './download'
export { defaultOf, type WeightsEntry, type WeightsName, weightsEntries, weightsEntry } from './entry'
export { bestFit, describeFit, type Fit, type FitCandidate, rankFits, type Shapes } from './fit'
export {
  type ListedWeights,
  listWeights,
  localWeights,
  type PulledWeights,
  type PullOptions,
  pullWeights,
  type VerifiedWeights,
  verifyWeights,
  type WeightsPlaces,
  weightsFolder,
  weightsMirror,
} from './pull'
export { parseRenameRule, type RenameRule, renameState, reverseRules } from './rename'
