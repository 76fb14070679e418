import { REGION } from '../account.ts';
import type { LambdaFunctionSettings } from './settings.ts';

/**
 * The whole environment of a function: what Lambda sets ("Defined runtime environment variables" of the
 * developer guide), then the function's own, which may replace the unreserved ones.
 */
export function lambdaEnvironment(
  settings: Pick<LambdaFunctionSettings, 'name' | 'bundle' | 'handler' | 'environment' | 'memoryMb'>,
): Record<string, string> {
  return {
    // Unreserved, may be replaced.
    LANG: 'en_US.UTF-8',
    PATH: '/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin',
    // Node does not know Lambda's value `:UTC`, which means the same.
    TZ: 'UTC',
    AWS_REGION: REGION,
    AWS_DEFAULT_REGION: REGION,
    ...settings.environment,
    // Reserved: cannot be set by the template.
    _HANDLER: settings.handler,
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_LAMBDA_FUNCTION_NAME: settings.name,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(settings.memoryMb),
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${settings.name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: 'local',
    LAMBDA_TASK_ROOT: settings.bundle,
    LAMBDA_RUNTIME_DIR: settings.bundle,
  };
}
