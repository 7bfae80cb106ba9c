// Tokenizers and metrics of text.
export type { Encoded } from './post-processors'
export * from './tokenizer'
