import type { SystemCard } from '../../../pipeline/card'

/** What the paper states, and what follows from it by hand. */
export const card = {
  name: 'motion-microscopy',
  family: 'magnification',
  task: 'magnify',
  summary: 'measures motions far below a pixel with error bars, and magnifies those of a band of frequencies',
  paper: {
    title: 'Motion microscopy for visualizing and quantifying small motions',
    venue: 'Proceedings of the National Academy of Sciences 114(44)',
    year: 2017,
  },
  untrained: true,
  parameters: [],
  published: [
    { dataset: 'cantilever', metric: 'correlation', value: 0.997, setting: 'best video: 490 µs, excitation 25, 85 mm' },
    { dataset: 'cantilever', metric: 'correlation', value: 0.87, setting: 'least at motions of 0.01 px RMS' },
    { dataset: 'cantilever', metric: 'correlation', value: 0.94, setting: 'most at motions of 0.01 px RMS' },
    { dataset: 'cantilever', metric: 'correlation', value: 0.95, setting: 'least above 0.05 px RMS' },
    { dataset: 'cantilever', metric: 'correlation', value: 0.999, setting: 'most above 0.05 px RMS' },
    { dataset: 'cantilever', metric: 'smallest motion, px', value: 0.01, setting: 'at an edge of high contrast' },
    { dataset: 'tectorial membrane', metric: 'magnification', value: 20, setting: 'displacement from the mean' },
    { dataset: 'lift bridge', metric: 'magnification', value: 400, setting: '1.6–1.8 Hz' },
    { dataset: 'lift bridge', metric: 'magnification', value: 250, setting: '2.4–2.7 Hz' },
  ],
  datasets: [
    {
      name: 'videos with a sensor',
      layout: '<name>.json, the video <name>.mp4 (mov, mkv, webm, avi) and the readings <name>.csv (time in s, value)',
      note: 'the JSON file holds {"point": [x, y], "direction": degrees from the right to down, "sensor": "displacement" | "velocity" | "acceleration", "before", "video", "after": [filters]}',
    },
  ],
} as const satisfies SystemCard
