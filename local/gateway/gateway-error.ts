import { StartError } from '../errors.ts';

/** A setting of a gateway that API Gateway itself would refuse when the API is created. */
export class GatewaySettingsError extends StartError {
  override readonly name = 'GatewaySettingsError';
}
