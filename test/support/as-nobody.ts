const NOBODY = 65534

/** Runs `work` without root's right to write everywhere, where the tests run as root. */
export async function asNobody<T>(work: () => Promise<T>): Promise<T> {
  const { geteuid, seteuid } = process
  if (geteuid === undefined || seteuid === undefined || geteuid() !== 0) return work()
  seteuid(NOBODY)
  try {
    return await work()
  } finally {
    seteuid(0)
  }
}
