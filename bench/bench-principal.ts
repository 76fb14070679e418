import { ownerPrincipal } from '../local/permissions/principal.ts';

/** Who calls local services in benchmarks whose parts run in several processes: each knows the same keys. */
export const benchPrincipal = ownerPrincipal('bench');
