import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { Log, Meter } from '../ports.ts';

/** The CloudWatch namespace of every figure. */
const NAMESPACE = 'Jobwire';

/** Names of fields whose content never reaches a log, whatever it is. */
const SECRET_FIELD = /authorization|cookie|password|secret|ticket|token|url/i;

/** Secrets inside texts: JSON Web Tokens, the signing parts of a presigned URL, a ticket in a query. */
const SECRET_TEXT =
  /\beyJ[\w-]+\.[\w-]+\.[\w-]*|(?<=X-Amz-(?:Signature|Credential|Security-Token)=)[^&\s"]+|(?<=[?&]ticket=)[^&\s"]+/gi;

const REDACTED = '[redacted]';

/**
 * A log that writes JSON lines through Powertools. The event is never logged: it holds tickets and tokens.
 * The level is that of `AWS_LAMBDA_LOG_LEVEL` or `POWERTOOLS_LOG_LEVEL`.
 */
export function createLog(service: string): Log {
  const logger = new Logger({ serviceName: service, jsonReplacerFn: redact });
  return {
    info: (message, fields = {}) => logger.info(message, { ...fields }),
    warn: (message, fields = {}) => logger.warn(message, { ...fields }),
    error: (message, fields = {}) => logger.error(message, { ...fields }),
  };
}

/** Figures through Powertools, in CloudWatch's embedded format; `publish` once at the end of an invocation. */
export function createMeter(service: string): Meter & { publish(): void } {
  const metrics = new Metrics({ namespace: NAMESPACE, serviceName: service });
  return {
    count: (name, value) => void metrics.addMetric(name, MetricUnit.Count, value),
    milliseconds: (name, value) => void metrics.addMetric(name, MetricUnit.Milliseconds, value),
    publish: () => {
      // Publishing nothing would be a warning in the log of every quiet invocation.
      if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics();
    },
  };
}

/** Replaces what must not be read in a log. Exported for the test. */
export function redact(key: string, value: unknown): unknown {
  if (SECRET_FIELD.test(key) && value !== undefined && value !== null) return REDACTED;
  return typeof value === 'string' ? value.replace(SECRET_TEXT, REDACTED) : value;
}
