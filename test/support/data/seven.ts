// A module that makes no data set.
export default () => 7
