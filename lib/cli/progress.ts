import { SingleBar } from 'cli-progress'
import type { Progress } from '../tensor/call'

/** A progress bar on standard error while `work` runs; nothing at all where standard error is no terminal. */
export async function withProgress<T>(
  show: boolean,
  work: (onProgress: (progress: Progress) => void) => Promise<T>,
): Promise<T> {
  if (!show || !process.stderr.isTTY) return work(() => {})
  const bar = new SingleBar({
    format: '{stage} {bar} {percentage} %',
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: true,
    barsize: 30,
    barCompleteChar: '█',
    barIncompleteChar: '░',
  })
  let started = false
  try {
    return await work(({ stage, done, total }) => {
      if (started) bar.update(done, { stage })
      else bar.start(total, done, { stage })
      started = true
    })
  } finally {
    if (started) bar.stop()
  }
}
