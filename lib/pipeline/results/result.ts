import type { Tensor } from '../../tensor'
import { TENSORS } from '../../tensor/handle'
import { dispose } from '../../tensor/scope'

/** What JSON can say. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json | undefined }

/** What there is to say of a result. */
export interface Summary {
  /** Lines for a person. */
  describe(): string
  /** Numbers and names for a program. */
  toJSON(): Json
  /** Frees what it holds. */
  dispose(): void
}

/** What a pipeline gives back: something to read, to hand to a program, and to write to a file. */
export abstract class Result implements Summary {
  /** Lines for a person. */
  abstract describe(): string

  /** Numbers and names for a program; pixels go to files. */
  abstract toJSON(): Json

  /**
   * Writes the result, whole or not at all, in the format that the extension says.
   *
   * @throws ArgumentError when the extension is not one of this result's
   */
  abstract toFile(path: string): Promise<void>

  /** The tensors of this result. */
  protected abstract tensors(): Iterable<Tensor | undefined>

  dispose(): void {
    for (const tensor of this.tensors()) if (tensor) dispose(tensor)
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  /** @internal So that `tidy` may return a result. */
  *[TENSORS](): Iterable<Tensor> {
    for (const tensor of this.tensors()) if (tensor) yield tensor
  }
}
