// Writes a small data set to try the training with: `npx tsx examples/train-detector/make-signs.ts [folder]`.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { tidyAsync } from '@lab/vision-native'
import { writeYolo } from '@lab/vision-native/datasets'
import { writeImage } from '@lab/vision-native/io'
import { syntheticPictures } from '@lab/vision-native/models/detection/cau-csa-yolov5'

const [, , folder = 'build/signs'] = process.argv
const PARTS = { train: { count: 64, seed: 0 }, val: { count: 16, seed: 1000 } } as const
const SIDE = 160

let names: readonly string[] = []
for (const [part, { count, seed }] of Object.entries(PARTS)) {
  const [images, labels] = [join(folder, 'images', part), join(folder, 'labels', part)]
  for (const path of [images, labels]) mkdirSync(path, { recursive: true })
  const { classes, pictures } = syntheticPictures(count, {
    side: SIDE,
    objects: 5,
    sizes: [8, 24],
    kind: 'plain',
    seed,
  })
  names = classes
  for (const [i, { objects, read }] of pictures.entries()) {
    const name = String(i).padStart(3, '0')
    await tidyAsync(async () => writeImage(await read(), join(images, `${name}.png`)))
    const boxes = objects.map(({ category, box: [x1, y1, x2, y2] }) => {
      const box = [(x1 + x2) / 2 / SIDE, (y1 + y2) / 2 / SIDE, (x2 - x1) / SIDE, (y2 - y1) / SIDE] as const
      return { kind: 'box', category, box } as const
    })
    await writeYolo(join(labels, `${name}.txt`), boxes)
  }
}
writeFileSync(join(folder, 'data.yaml'), `train: images/train\nval: images/val\nnames: [${names.join(', ')}]\n`)
console.log(`${PARTS.train.count} pictures for training and ${PARTS.val.count} for validation: ${folder}`)
