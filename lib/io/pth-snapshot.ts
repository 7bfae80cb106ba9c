import { noGrad } from '../tensor/autograd'
import { call } from '../tensor/call'
import { empty } from '../tensor/creation'
import type { Tensor } from '../tensor/tensor'
import type { DType } from '../tensor/types'

/** A copy of the part of a storage that tensors lie in; sizes count elements. */
export interface StorageCopy {
  readonly key: string
  readonly dtype: DType
  readonly numel: number
  /** Contiguous, on the CPU. */
  readonly copy: Tensor
}

/** Where a tensor lies in the copy of its storage. */
export interface Placed {
  readonly storage: StorageCopy
  readonly offset: number
  readonly shape: readonly number[]
  readonly strides: readonly number[]
  readonly requiresGrad: boolean
}

interface Member {
  readonly tensor: Tensor
  /** The same, or its elements in memory of their own where it is a view that LibTorch conjugates or negates on reading. */
  readonly view: Tensor
}

/** Tensors of one dtype in one storage, and the elements between the first and the last that any of them has. */
interface Group {
  /** An empty view of the storage, which tells it from others. */
  readonly identity: Tensor | undefined
  readonly members: Member[]
  begin: number
  end: number
}

/**
 * Copies what tensors hold, each storage once, so that they may be changed while the copies are written.
 *
 * Call it in a scope, to which the copies belong.
 */
export function snapshot(tensors: Iterable<Tensor>): ReadonlyMap<Tensor, Placed> {
  return noGrad(() => {
    const placed = new Map<Tensor, Placed>()
    for (const [index, { members, begin, end }] of groupByStorage(tensors).entries()) {
      const [first] = members
      if (first === undefined) continue
      const numel = end - begin
      const { view } = first
      const whole = numel === 0 ? view.reshape([0]) : view.asStrided([numel], [1], { storageOffset: begin })
      const storage = { key: String(index), dtype: view.dtype, numel, copy: whole.to({ device: 'cpu', copy: true }) }
      for (const member of members) {
        const { shape, strides, storageOffset } = member.view
        const offset = numel === 0 ? 0 : storageOffset - begin
        placed.set(member.tensor, { storage, offset, shape, strides, requiresGrad: member.tensor.requiresGrad })
      }
    }
    return placed
  })
}

function groupByStorage(tensors: Iterable<Tensor>): readonly Group[] {
  const all: Group[] = []
  const buckets = new Map<string, Bucket>()
  for (const tensor of tensors) {
    const view = tensor.resolveConj().resolveNeg()
    if (view.numel === 0) {
      all.push({ identity: undefined, members: [{ tensor, view }], begin: 0, end: 0 })
      continue
    }
    const key = `${view.device} ${view.dtype} ${elementsOf(view, 1, 1)}`
    const bucket = buckets.get(key) ?? new Bucket()
    buckets.set(key, bucket)
    const [begin, end] = extentOf(view)
    const group = bucket.groupOf(view, end)
    if (group.members.length === 0) all.push(group)
    group.members.push({ tensor, view })
    group.begin = Math.min(group.begin, begin)
    group.end = Math.max(group.end, end)
  }
  return all
}

/**
 * Groups whose storages begin with the same element. Two views have the same storage when empty views of it are set to
 * each other, which only comparing each with each can tell. So what differs for another reason is not compared: storages
 * of which a tensor is the whole have one size and one content.
 */
class Bucket {
  readonly #whole = new Map<string, Group[]>()
  readonly #parts: Group[] = []

  groupOf(view: Tensor, end: number): Group {
    const identity = view.asStrided([0], [1], { storageOffset: 0 })
    const candidates = isWhole(view, end) ? this.#alike(view, end) : this.#parts
    const others = candidates === this.#parts ? [...this.#whole.values()].flat() : this.#parts
    const isSame = (group: Group) => group.identity !== undefined && identity.isSetTo(group.identity)
    const known = candidates.find(isSame) ?? others.find(isSame)
    if (known !== undefined) return known
    const group: Group = { identity, members: [], begin: Number.POSITIVE_INFINITY, end: 0 }
    candidates.push(group)
    return group
  }

  #alike(view: Tensor, end: number): Group[] {
    const key = `${end} ${elementsOf(view, Math.min(end, 3), Math.max(Math.floor((end - 1) / 2), 1))}`
    const groups = this.#whole.get(key) ?? []
    this.#whole.set(key, groups)
    return groups
  }
}

/** True when the storage ends where the tensor does. */
function isWhole(view: Tensor, end: number): boolean {
  const alike = empty([end], { dtype: view.dtype, device: 'meta' })
  return call('aten::_has_same_storage_numel', [view, alike]) === true
}

/** Elements of a tensor's storage from its start, as text. */
function elementsOf(view: Tensor, count: number, stride: number): string {
  return String(view.asStrided([count], [stride], { storageOffset: 0 }).dataSync())
}

/** The first element of the storage that a tensor has, and the one after its last. */
function extentOf({ shape, strides, storageOffset }: Tensor): [begin: number, end: number] {
  const last = shape.reduce((sum, size, dim) => sum + (size - 1) * (strides[dim] ?? 0), storageOffset)
  return [storageOffset, last + 1]
}
