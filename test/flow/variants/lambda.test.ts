import { describeVariants } from './variant-suite.ts';

describeVariants('lambda');
