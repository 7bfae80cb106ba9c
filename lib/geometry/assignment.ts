// The cheapest pairing (Kuhn 1955; Jonker and Volgenant 1987; Crouse, TAES 2016).
import { ArgumentError, ShapeError } from '../native/errors'
import type { Tensor } from '../tensor'

export interface Assignment {
  /** Rows that have a partner, rising: all unless there are more rows than columns. */
  readonly rows: readonly number[]
  /** The partner of each of them. */
  readonly columns: readonly number[]
  /** Sum of the costs of the pairs. */
  readonly cost: number
}

/**
 * Pairs each row with a column of its own so that the costs sum up to least, exactly, in O(n³): the shortest augmenting
 * path for each row in turn. ∞ forbids a pair.
 *
 * @param costs `[N, M]`
 * @throws ShapeError for other ranks
 * @throws ArgumentError when a cost is NaN or −∞, or the forbidden pairs leave no pairing
 */
export function linearSumAssignment(costs: Tensor): Assignment {
  if (costs.ndim !== 2) throw new ShapeError(`linearSumAssignment: costs are [${costs.shape}]; they must be [N, M]`)
  const [rows = 0, columns = 0] = costs.shape
  const values = costs.detach().to('float64').contiguous().dataSync() as Float64Array
  const broken = values.findIndex((value) => !(value > Number.NEGATIVE_INFINITY))
  if (broken >= 0) {
    throw new ArgumentError(
      `linearSumAssignment: the cost at [${Math.floor(broken / columns)}, ${broken % columns}] is ${values[broken]}; costs are numbers, or Infinity for a pair that may not be`,
    )
  }
  if (rows <= columns) return assignmentOf(solve(values, rows, columns), values, columns)
  const turned = Float64Array.from({ length: values.length }, (_, i) => {
    return values[(i % rows) * columns + Math.floor(i / rows)] ?? 0
  })
  const partner = solve(turned, columns, rows)
  const pairs = partner.map((row, column) => [row, column] as const).sort(([a], [b]) => a - b)
  const cost = pairs.reduce((sum, [row, column]) => sum + (values[row * columns + column] ?? 0), 0)
  return { rows: pairs.map(([row]) => row), columns: pairs.map(([, column]) => column), cost }
}

function assignmentOf(partner: readonly number[], values: Float64Array, width: number): Assignment {
  const cost = partner.reduce((sum, column, row) => sum + (values[row * width + column] ?? 0), 0)
  return { rows: partner.map((_, row) => row), columns: partner, cost }
}

/** The column of each row; there are no more rows than columns. */
function solve(costs: Float64Array, rows: number, columns: number): number[] {
  const rowPrice = new Float64Array(rows)
  const columnPrice = new Float64Array(columns)
  const rowOf = new Int32Array(columns).fill(-1)
  const columnOf = new Int32Array(rows).fill(-1)
  const shortest = new Float64Array(columns)
  const from = new Int32Array(columns)
  for (let start = 0; start < rows; start++) {
    shortest.fill(Number.POSITIVE_INFINITY)
    const doneRows: number[] = []
    const done = new Uint8Array(columns)
    let [row, least, end] = [start, 0, -1]
    while (end < 0) {
      doneRows.push(row)
      let [next, best] = [-1, Number.POSITIVE_INFINITY]
      const price = least - (rowPrice[row] ?? 0)
      const first = row * columns
      for (let column = 0; column < columns; column++) {
        if (done[column]) continue
        const length = price + (costs[first + column] ?? 0) - (columnPrice[column] ?? 0)
        if (length < (shortest[column] ?? 0)) {
          shortest[column] = length
          from[column] = row
        }
        const reached = shortest[column] ?? 0
        // Of columns equally near, one without a partner ends the search.
        if (reached < best || (reached === best && next >= 0 && rowOf[column] === -1 && rowOf[next] !== -1)) {
          best = reached
          next = column
        }
      }
      if (next < 0) {
        throw new ArgumentError('linearSumAssignment: the pairs with a cost of Infinity leave no pairing; allow more')
      }
      least = best
      done[next] = 1
      if (rowOf[next] === -1) end = next
      else row = rowOf[next] ?? 0
    }
    rowPrice[start] = (rowPrice[start] ?? 0) + least
    for (const other of doneRows) {
      if (other === start) continue
      rowPrice[other] = (rowPrice[other] ?? 0) + least - (shortest[columnOf[other] ?? 0] ?? 0)
    }
    for (let column = 0; column < columns; column++) {
      if (done[column]) columnPrice[column] = (columnPrice[column] ?? 0) - least + (shortest[column] ?? 0)
    }
    for (let column = end; ; ) {
      const partner = from[column] ?? 0
      rowOf[column] = partner
      const previous = columnOf[partner] ?? -1
      columnOf[partner] = column
      if (partner === start) break
      column = previous
    }
  }
  return Array.from(columnOf)
}
