// Images of irises as a list and as a tree.
import { mkdirSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { readIrisImages, writeIrisList } from '../../lib/datasets'
import { writeImage } from '../../lib/io'
import { tidyAsync, zeros } from '../../lib/tensor'
import { temporaryFolder } from '../support/temporary-folder'

const folder = temporaryFolder()
const picture = (path: string) => tidyAsync(() => writeImage(zeros([3, 4, 5]), path))

async function tree(name: string): Promise<string> {
  for (const place of ['s1/L/VIS', 's1/R/NIR']) {
    mkdirSync(folder(name, place), { recursive: true })
    for (const file of ['1.png', '10.png']) await picture(folder(name, place, file))
  }
  return folder(name)
}

test('a tree is read, and written as a list reads the same', async () => {
  const root = await tree('tree')
  const images = await readIrisImages(root)
  expect(images.map(({ subject, eye, domain, instance }) => [subject, eye, domain, instance].join(' '))).toEqual([
    's1 L VIS 1',
    's1 L VIS 10',
    's1 R NIR 1',
    's1 R NIR 10',
  ])
  await writeIrisList(`${root}/iris.csv`, images)
  expect(await readIrisImages(root)).toEqual(images)
  expect(await readIrisImages(`${root}/iris.csv`)).toEqual(images)
})

test('all rows that are wrong are named at once', async () => {
  const root = await tree('list')
  writeFileSync(`${root}/broken.png`, 'no picture')
  const rows = [
    'instance,path,subject,eye,domain',
    '1,s1/L/VIS/1.png,s1,left,VIS',
    '2,s1/L/VIS/10.png,s1,X,VIS',
    '1,s1/L/VIS/10.png,s1,L,VIS',
    '3,missing.png,s1,L,VIS',
    'one,s1/R/NIR/1.png,s1,R,NIR',
    '5,broken.png,s1,R,NIR',
  ]
  writeFileSync(`${root}/iris.csv`, rows.join('\n'))
  const problem = await readIrisImages(root).catch((error: Error) => error.message)
  expect(problem).toMatch(/5 of 6 files cannot be used/)
  for (const reason of [
    /csv:3: the eye is 'X'/,
    /as .*1\.png is/,
    /csv:5: there is no file/,
    /'one'; it is a number/,
    /broken\.png/,
  ]) {
    expect(problem).toMatch(reason)
  }
  const notes: string[] = []
  const images = await readIrisImages(root, { skipBroken: true, note: (text) => notes.push(text) })
  expect(images.map(({ eye, instance }) => [eye, instance])).toEqual([['L', 1]])
  expect(notes.length).toBe(1)
})

test('a list without a column, and pictures that lie elsewhere, are refused', async () => {
  const root = await tree('wrong')
  writeFileSync(`${root}/iris.csv`, 'path,subject,eye\n')
  await expect(readIrisImages(root)).rejects.toThrow(/lacks the column domain, instance/)
  const other = await tree('other')
  await picture(`${other}/loose.png`)
  await expect(readIrisImages(other)).rejects.toThrow(/loose\.png: .*not at subject\/eye\/domain\/instance/)
  await expect(readIrisImages(folder('nowhere'))).rejects.toThrow(/cannot list/)
})
