import * as v from 'valibot';
import { ACCOUNT, REGION } from '../account.ts';
import { UnsupportedTemplateError } from '../errors.ts';
import type { CorsConfiguration } from '../gateway/cors.ts';
import type { Throttling } from '../gateway/throttle.ts';
import { FlagSchema, NumberSchema, readProperties, referenceOf, type Stack } from './properties.ts';
import type { InvokePermissions } from './read-permissions.ts';
import { resourcesOfType, type TemplateResource } from './template.ts';

/** A route as the template declares it. Functions are named by their ARN. */
export interface RouteDeclaration {
  readonly routeKey: string;
  readonly functionArn: string;
  readonly integrationTimeoutMs: number | undefined;
  readonly authorizer: AuthorizerDeclaration | undefined;
  /** WebSocket only: whether the function's answer goes back to the client. */
  readonly routeResponse: boolean;
}

/** An authorizer as the template declares it. */
export interface AuthorizerDeclaration {
  readonly functionArn: string;
  readonly identitySource: readonly string[];
  /** HTTP only. */
  readonly enableSimpleResponses: boolean;
  /** HTTP only; seconds. */
  readonly resultTtlSeconds: number;
}

/** One API with its one stage. */
export interface ApiDeclaration {
  readonly logicalId: string;
  readonly protocol: 'HTTP' | 'WEBSOCKET';
  readonly apiId: string;
  readonly stageName: string;
  readonly routeSelectionExpression: string | undefined;
  readonly throttling: Throttling | undefined;
  readonly cors: CorsConfiguration | undefined;
  readonly routes: readonly RouteDeclaration[];
}

const ApiSchema = v.strictObject({
  ProtocolType: v.picklist(['HTTP', 'WEBSOCKET']),
  RouteSelectionExpression: v.optional(v.string()),
  CorsConfiguration: v.optional(
    v.strictObject({
      AllowOrigins: v.optional(v.array(v.string())),
      AllowMethods: v.optional(v.array(v.string())),
      AllowHeaders: v.optional(v.array(v.string())),
      ExposeHeaders: v.optional(v.array(v.string())),
      MaxAge: v.optional(NumberSchema),
      AllowCredentials: v.optional(FlagSchema),
    }),
  ),
});

const StageSchema = v.strictObject({
  ApiId: v.string(),
  StageName: v.string(),
  DefaultRouteSettings: v.optional(
    v.object({
      ThrottlingRateLimit: v.optional(NumberSchema),
      ThrottlingBurstLimit: v.optional(NumberSchema),
    }),
  ),
});

const IntegrationSchema = v.strictObject({
  ApiId: v.string(),
  IntegrationType: v.literal('AWS_PROXY'),
  IntegrationUri: v.string(),
  PayloadFormatVersion: v.optional(v.string()),
  TimeoutInMillis: v.optional(NumberSchema),
});

const AuthorizerSchema = v.strictObject({
  ApiId: v.string(),
  AuthorizerType: v.literal('REQUEST'),
  AuthorizerUri: v.string(),
  IdentitySource: v.optional(v.array(v.string()), []),
  AuthorizerPayloadFormatVersion: v.optional(v.literal('2.0')),
  AuthorizerResultTtlInSeconds: v.optional(NumberSchema, 0),
  EnableSimpleResponses: v.optional(FlagSchema, false),
});

const RouteSchema = v.strictObject({
  ApiId: v.string(),
  RouteKey: v.string(),
  Target: v.string(),
  AuthorizationType: v.optional(v.picklist(['NONE', 'CUSTOM']), 'NONE'),
  AuthorizerId: v.optional(v.string()),
  RouteResponseSelectionExpression: v.optional(v.literal('$default')),
});

const RouteResponseSchema = v.strictObject({
  ApiId: v.string(),
  RouteId: v.string(),
  RouteResponseKey: v.literal('$default'),
});

/**
 * The APIs of the template with all that belongs to them.
 * @throws StartError when an API may not invoke the function of one of its routes.
 */
export function readApis(stack: Stack, permissions: InvokePermissions): readonly ApiDeclaration[] {
  return resourcesOfType(stack.template, 'AWS::ApiGatewayV2::Api').map((api) =>
    readApi(stack, api, permissions),
  );
}

function readApi(stack: Stack, api: TemplateResource, permissions: InvokePermissions): ApiDeclaration {
  const apiId = referenceOf(stack, api.logicalId);
  const properties = readProperties(stack, api, ApiSchema, ['Description', 'Name', 'Tags']);
  const stage = onlyStage(stack, api, apiId);
  const integrations = readIntegrations(stack, apiId);
  const authorizers = readAuthorizers(stack, apiId);
  const answered = routesWithResponse(stack, apiId);
  const invoke = (path: string, functionArn: string) =>
    permissions.require(
      'apigateway',
      `arn:aws:execute-api:${REGION}:${ACCOUNT}:${apiId}/${path}`,
      functionArn,
    );

  const routes = belonging(stack, 'AWS::ApiGatewayV2::Route', RouteSchema, apiId).map(
    ([resource, route]): RouteDeclaration => {
      const integration = integrations.get(route.Target.replace(/^integrations\//, ''));
      const authorizer = route.AuthorizerId === undefined ? undefined : authorizers.get(route.AuthorizerId);
      if (integration === undefined) {
        throw new UnsupportedTemplateError(
          resource.logicalId,
          resource.type,
          'its target is no integration of the API',
        );
      }
      if ((route.AuthorizationType === 'CUSTOM') !== (authorizer !== undefined)) {
        throw new UnsupportedTemplateError(
          resource.logicalId,
          resource.type,
          'its authorizer is not one of the API',
        );
      }
      invoke(`${stage.StageName}/${route.RouteKey.replace(' ', '')}`, integration.functionArn);
      if (authorizer !== undefined) {
        invoke(`authorizers/${route.AuthorizerId}`, authorizer.functionArn);
      }
      return {
        routeKey: route.RouteKey,
        ...integration,
        authorizer,
        routeResponse:
          route.RouteResponseSelectionExpression !== undefined && answered.has(resource.logicalId),
      };
    },
  );
  return {
    logicalId: api.logicalId,
    protocol: properties.ProtocolType,
    apiId,
    stageName: stage.StageName,
    routeSelectionExpression: properties.RouteSelectionExpression,
    throttling: throttlingOf(stage),
    cors: corsOf(properties.CorsConfiguration),
    routes,
  };
}

type Properties<Schema extends v.GenericSchema> = v.InferOutput<Schema>;

/** The resources of a type that belong to one API. */
function belonging<const Schema extends v.GenericSchema<unknown, { ApiId: string }>>(
  stack: Stack,
  type: string,
  schema: Schema,
  apiId: string,
  ignored: readonly string[] = [],
): readonly (readonly [TemplateResource, Properties<Schema>])[] {
  return resourcesOfType(stack.template, type)
    .map((resource) => [resource, readProperties(stack, resource, schema, ignored)] as const)
    .filter(([, properties]) => properties.ApiId === apiId);
}

function onlyStage(stack: Stack, api: TemplateResource, apiId: string): Properties<typeof StageSchema> {
  const ignored = ['AccessLogSettings', 'AutoDeploy', 'DeploymentId', 'Description', 'Tags'];
  const stages = belonging(stack, 'AWS::ApiGatewayV2::Stage', StageSchema, apiId, ignored);
  const [stage] = stages;
  if (stage === undefined || stages.length > 1) {
    throw new UnsupportedTemplateError(
      api.logicalId,
      api.type,
      `it must have one stage, not ${stages.length}`,
    );
  }
  return stage[1];
}

function readIntegrations(stack: Stack, apiId: string) {
  const integrations = belonging(stack, 'AWS::ApiGatewayV2::Integration', IntegrationSchema, apiId, [
    'ConnectionType',
    'Description',
    'IntegrationMethod',
  ]);
  return new Map(
    integrations.map(([{ logicalId }, { IntegrationUri, TimeoutInMillis }]) => [
      referenceOf(stack, logicalId),
      { functionArn: functionArnOf(IntegrationUri), integrationTimeoutMs: TimeoutInMillis },
    ]),
  );
}

function readAuthorizers(stack: Stack, apiId: string): ReadonlyMap<string, AuthorizerDeclaration> {
  return new Map(
    belonging(stack, 'AWS::ApiGatewayV2::Authorizer', AuthorizerSchema, apiId, ['Name']).map(
      ([{ logicalId }, properties]) => [
        referenceOf(stack, logicalId),
        {
          functionArn: functionArnOf(properties.AuthorizerUri),
          identitySource: properties.IdentitySource,
          enableSimpleResponses: properties.EnableSimpleResponses,
          resultTtlSeconds: properties.AuthorizerResultTtlInSeconds,
        },
      ],
    ),
  );
}

function routesWithResponse(stack: Stack, apiId: string): ReadonlySet<string> {
  return new Set(
    belonging(stack, 'AWS::ApiGatewayV2::RouteResponse', RouteResponseSchema, apiId).map(
      ([, { RouteId }]) => RouteId,
    ),
  );
}

/** `arn:aws:apigateway:<region>:lambda:path/2015-03-31/functions/<function arn>/invocations`, or the ARN itself. */
function functionArnOf(uri: string): string {
  return /functions\/(.+)\/invocations$/.exec(uri)?.[1] ?? uri;
}

function throttlingOf(stage: Properties<typeof StageSchema>): Throttling | undefined {
  const { ThrottlingRateLimit, ThrottlingBurstLimit } = stage.DefaultRouteSettings ?? {};
  return ThrottlingRateLimit === undefined || ThrottlingBurstLimit === undefined
    ? undefined
    : { rateLimit: ThrottlingRateLimit, burstLimit: ThrottlingBurstLimit };
}

function corsOf(cors: Properties<typeof ApiSchema>['CorsConfiguration']): CorsConfiguration | undefined {
  if (cors === undefined) return undefined;
  return {
    allowOrigins: cors.AllowOrigins ?? [],
    allowMethods: cors.AllowMethods ?? [],
    allowHeaders: cors.AllowHeaders ?? [],
    exposeHeaders: cors.ExposeHeaders ?? [],
    allowCredentials: cors.AllowCredentials ?? false,
    ...(cors.MaxAge === undefined ? {} : { maxAge: cors.MaxAge }),
  };
}
