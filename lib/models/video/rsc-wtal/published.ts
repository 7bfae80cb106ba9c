// Checkpoints of the authors' code.
import { ConfigError } from '../../../native/errors'
import type { StateDict } from '../../../nn'
import type { Tensor } from '../../../tensor'
import type { Host } from './config'
import type { Localizer } from './model'

/** Parts that the released files hold and no output depends on. */
const UNUSED = 'feat_encoder.'

/**
 * Loads a checkpoint of the authors' code: `proj_net.sequential.*` beside the host's own names, which HAM-Net's files
 * put below `net.` and the others do not; CO2-Net's unused encoder is passed over.
 *
 * @throws ConfigError when the model has no projection, or two, which no released file has
 * @throws ShapeError listing names that are missing, unexpected or of another shape; nothing is changed then
 */
export function loadPublishedLocalizer(model: Localizer, state: StateDict, host: Host): void {
  if (model.projNet === null || model.flowProjNet !== null) {
    throw new ConfigError(
      `loadPublishedLocalizer: the model has ${model.projNet ? 'two' : 'no'} projections; released files have one`,
    )
  }
  const entries: [string, Tensor][] = state instanceof Map ? [...state] : Object.entries(state)
  const named = entries
    .map(([name, tensor]): [string, Tensor] => [host === 'ham-net' ? name.replace(/^net\./, '') : name, tensor])
    .filter(([name]) => !name.startsWith(UNUSED))
    .map(([name, tensor]): [string, Tensor] => [name.startsWith('proj_net.') ? name : `net.${name}`, tensor])
  model.loadStateDict(new Map(named))
}
