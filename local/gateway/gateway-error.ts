/** A setting of a gateway that API Gateway itself would refuse when the API is created. */
export class GatewaySettingsError extends Error {
  override readonly name = 'GatewaySettingsError';
}
