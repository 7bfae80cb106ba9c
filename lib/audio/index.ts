// Features of sound, as torchaudio computes them.
export * from './kaldi'
export * from './mel'
export * from './spec-augment'
export * from './spectrogram'
export * from './speech'
