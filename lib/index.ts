// The root of the package: tensors and everything that works on them; subpaths hold the rest.
export * from './native/errors'
export * from './tensor'
