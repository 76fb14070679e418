import type { InvokeMessage, WorkerSettings } from './messages.ts';

/** The context object of one invocation (Lambda developer guide, "Node.js context object"). */
export function buildContext(
  settings: WorkerSettings,
  message: InvokeMessage,
  environment: NodeJS.ProcessEnv,
): object {
  const deadline = performance.now() + message.timeoutMs;
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName: settings.functionName,
    functionVersion: '$LATEST',
    invokedFunctionArn: settings.functionArn,
    memoryLimitInMB: String(settings.memoryMb),
    awsRequestId: message.requestId,
    logGroupName: environment['AWS_LAMBDA_LOG_GROUP_NAME'],
    logStreamName: environment['AWS_LAMBDA_LOG_STREAM_NAME'],
    getRemainingTimeInMillis: () => Math.max(0, Math.floor(deadline - performance.now())),
  };
}
