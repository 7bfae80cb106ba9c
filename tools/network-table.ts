import { readdirSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { BACKBONES, backboneEntry, backboneNames, type NetworkTask } from '../lib/backbones'

/** docs/networks.md: the networks of the registry, with what was compared for each. */

const FIXTURES = new URL('../test/fixtures/backbones/', import.meta.url)

interface Case {
  readonly network: string
  readonly options: object
  readonly source: string
}

const TASKS: Readonly<Record<NetworkTask, string>> = {
  'image-classification': 'Image classification',
  'semantic-segmentation': 'Semantic segmentation',
  'instance-segmentation': 'Instance segmentation',
  'object-detection': 'Object detection',
  'keypoint-detection': 'Keypoint detection',
  'video-classification': 'Video classification',
  'optical-flow': 'Optical flow',
  'audio-classification': 'Audio classification',
  speech: 'Speech',
  text: 'Text',
  'image-text': 'Images and text',
  'point-cloud': 'Point clouds',
  graph: 'Graphs',
  'image-generation': 'Image generation',
  'perceptual-distance': 'Perceptual distance',
  features: 'Features',
}

/** The text of docs/networks.md. */
export function networkTable(): string {
  const cases = casesByNetwork()
  const parameters = publishedParameters()
  const tasks = Object.entries(TASKS).flatMap(([task, title]) => {
    const names = backboneNames().filter((name) => backboneEntry(name).task === task)
    if (names.length === 0) return []
    const rows = names.map((name) => {
      const each = cases.get(name) ?? []
      const counts = each.flatMap(([caseName]) => parameters.get(caseName) ?? [])
      const count = counts[0] === undefined ? '' : counts[0].toLocaleString('en-US')
      const sources = [...new Set(each.map(([, { source }]) => source.split(':')[0] ?? ''))]
      return `| \`${name}\` | ${count} | ${backboneEntry(name).features ?? ''} | ${sources.join('; ')} |`
    })
    return [
      `## ${title}\n\n| network | parameters | features | compared with |\n|---|---:|---|---|\n${rows.join('\n')}`,
    ]
  })
  return `<!-- Written by \`npm run generate\`. -->
# Networks

${Object.keys(BACKBONES).length} networks with the parameter names of their published weights, in \`@lab/vision-native/backbones\`:

\`\`\`ts
import { createBackbone, extractFeatures } from '@lab/vision-native/backbones'
import { readSafetensors } from '@lab/vision-native/io'
import { skipInit } from '@lab/vision-native/nn'

const network = skipInit(() => createBackbone('resnet50')) // or resnet50(): typed options, first values as its authors'
network.loadStateDict(await readSafetensors('resnet50.safetensors'))
const features = await extractFeatures(network, ['a.jpg', 'b.jpg'], { layer: 'avgpool' }) // float32 [2, 2048]
\`\`\`

Each is compared with the implementation named beside it: names and shapes of its state, and outputs to 1e-4 of their size
on weights that are a hash of their names (tools/reference/backbones, test/backbones). Where none is named, it differs in a
number only from one that is compared. Parameters are counted where a published state's shapes are among the fixtures.
\`npx vision-native weights list\` tells which published weights can be fetched;
\`vision-native features\` writes features of photographs to a file.

${tasks.join('\n\n')}
`
}

function casesByNetwork(): Map<string, [name: string, of: Case][]> {
  const found = new Map<string, [string, Case][]>()
  for (const file of readdirSync(FIXTURES).sort()) {
    if (!file.endsWith('.json')) continue
    const cases = JSON.parse(readFileSync(new URL(file, FIXTURES), 'utf8')) as Record<string, Case>
    for (const [name, each] of Object.entries(cases)) {
      found.set(each.network, [...(found.get(each.network) ?? []), [name, each]])
    }
  }
  return found
}

function publishedParameters(): Map<string, number> {
  const lines = gunzipSync(readFileSync(new URL('state-dicts.ndjson.gz', FIXTURES))).toString()
  const states = lines
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { readonly name: string; readonly total_parameters: number })
  return new Map(states.map((state) => [state.name, state.total_parameters]))
}
