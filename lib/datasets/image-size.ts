import sharp from 'sharp'

/** Height and width of a picture as `readImage` gives it: upright by its EXIF orientation. Only its header is read. */
export async function uprightSize(path: string): Promise<readonly [height: number, width: number]> {
  const { autoOrient } = await sharp(path).metadata()
  return [autoOrient.height, autoOrient.width]
}
