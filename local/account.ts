/** The Region that everything local claims to run in; part of every ARN. */
export const REGION = 'us-east-1';

/** The account id that everything local claims to belong to; part of every ARN. */
export const ACCOUNT = '000000000000';
