import { describeVariants } from './variant-suite.ts';

describeVariants('step-functions-efs');
