import { testPublishedNames } from '../support/backbone-loop'

testPublishedNames()
