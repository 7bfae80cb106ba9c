// A data set in plain JavaScript, for processes that read no TypeScript.
export default (words) => ({ length: words.length, get: (i) => words[i] })
