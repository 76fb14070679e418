/**
 * The import laws of ARCHITECTURE.md, held inside `npm test`.
 *
 * Sources are parsed by swc: dependency-cruiser 18 cannot use TypeScript 7, and without a parser that knows
 * TypeScript it would find no imports at all and every law would hold (test/infrastructure/import-laws.test.ts).
 */

const STAGES = '(api|upload|process|publish|socket|sweep)';
const OURS =
  '^(protocol|handlers|infrastructure|client|react|command-line|packaging|documents|web|local|bench|test)/';

/**
 * The packages that each folder may bundle or run, beside Node's own. All of them are development dependencies in
 * package.json, because what is installed from npm has none (docs/decisions/0014-one-package.md); so this list,
 * not package.json, says what may reach a function, the page or the command. Each name costs a cold start, a
 * download or an install: look at what it weighs before adding one.
 */
const PACKAGES = {
  handlers: [
    '@aws-lambda-powertools/logger',
    '@aws-lambda-powertools/metrics',
    '@aws-sdk/client-apigatewaymanagementapi',
    '@aws-sdk/client-dynamodb',
    '@aws-sdk/client-iot-data-plane',
    '@aws-sdk/client-s3',
    '@aws-sdk/client-secrets-manager',
    '@aws-sdk/client-sfn',
    '@aws-sdk/client-sqs',
    '@aws-sdk/s3-presigned-post',
    '@aws-sdk/s3-request-presigner',
    '@aws-sdk/util-dynamodb',
    'hono',
    'jose',
    'papaparse',
    'ulid',
    'undici',
    'valibot',
  ],
  infrastructure: ['aws-cdk-lib', 'constructs', 'esbuild'],
  web: ['@preact/signals', 'preact', 'valibot'],
  react: ['react'],
  'command-line': [
    '@aws-sdk/client-cloudformation',
    '@commander-js/extra-typings',
    'commander',
    'log-update',
    'slice-ansi',
    'string-width',
    'valibot',
  ],
};

function takesNamedPackages([folder, packages]) {
  return {
    name: `${folder}-takes-named-packages`,
    comment: 'What is bundled, or run by who deploys or installs, is named in PACKAGES above.',
    severity: 'error',
    from: { path: `^${folder}/` },
    to: {
      path: '(^|/)node_modules/',
      pathNot: `(^|/)node_modules/(@types/)?(${packages.join('|')})/`,
      dependencyTypesNot: ['type-only'], // types are gone before anything runs
    },
  };
}

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'protocol-is-pure',
      comment: 'Law 1: the contract imports itself and valibot, so that it runs anywhere.',
      severity: 'error',
      from: { path: '^protocol/' },
      to: { pathNot: ['^protocol/', '(^|/)node_modules/valibot/'] },
    },
    {
      name: 'client-stands-alone',
      comment: 'Law 1: whoever takes the client into a project takes the protocol with it, and nothing else.',
      severity: 'error',
      from: { path: '^client/' },
      to: { pathNot: ['^client/', '^protocol/'] },
    },
    {
      name: 'react-stands-on-client',
      comment: 'Law 1: the hooks are the client, for React; they know the system by its contract alone.',
      severity: 'error',
      from: { path: '^react/' },
      to: { path: OURS, pathNot: ['^react/', '^client/', '^protocol/'] },
    },
    {
      name: 'react-runs-in-a-browser',
      comment: 'Law 1: a browser has no modules of Node.',
      severity: 'error',
      from: { path: '^react/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'command-imports-client-and-protocol',
      comment: 'Law 1: the command runs where nothing but the package is installed, against any Jobwire.',
      severity: 'error',
      from: { path: '^command-line/' },
      to: { path: OURS, pathNot: ['^command-line/', '^client/', '^protocol/'] },
    },
    {
      name: 'package-shows-what-is-public',
      comment:
        'Law 1: the entries of the package name what client, react and protocol offer, and add nothing.',
      severity: 'error',
      from: { path: '^packaging/entries/' },
      to: { path: OURS, pathNot: ['^packaging/entries/', '^client/', '^react/', '^protocol/'] },
    },
    {
      name: 'documents-tell-the-protocol',
      comment: 'Law 1: what is published of the contract is made of the contract alone.',
      severity: 'error',
      from: { path: '^documents/' },
      to: { path: OURS, pathNot: ['^documents/', '^protocol/'] },
    },
    {
      name: 'nobody-imports-the-documents',
      comment: 'They are a product of the build; what is deployed or shipped does without their generator.',
      severity: 'error',
      from: { pathNot: '^(documents|test)/' },
      to: { path: '^documents/' },
    },
    {
      name: 'nobody-imports-the-packaging',
      comment: 'Within the repository each file is imported by its own name.',
      severity: 'error',
      from: { pathNot: '^(packaging|test/packaging)/' },
      to: { path: '^packaging/' },
    },
    {
      name: 'web-imports-client-and-protocol',
      comment: 'Law 1: the page runs in a browser and knows the system by its contract alone.',
      severity: 'error',
      from: { path: '^web/' },
      to: { path: OURS, pathNot: ['^web/', '^client/', '^protocol/'] },
    },
    {
      name: 'web-runs-in-a-browser',
      comment: 'Law 1: a browser has no modules of Node.',
      severity: 'error',
      from: { path: '^web/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'stage-imports-no-other-stage',
      comment: 'Law 2: stages meet in the jobs table and in queues, never in code; and never in AWS.',
      severity: 'error',
      from: { path: `^handlers/${STAGES}/`, pathNot: '[.]lambda[.]ts$' },
      to: {
        path: OURS,
        pathNot: [
          '^handlers/$1/',
          '^handlers/(ports|workspace|broadcast-rounds|execution-name|queue-messages|errors|job-fields)[.]ts$',
          '^protocol/',
        ],
      },
    },
    {
      name: 'stage-does-not-know-aws',
      comment: 'Law 2: the SDK belongs to handlers/aws, which answers the ports.',
      severity: 'error',
      from: { path: `^handlers/${STAGES}/` },
      to: {
        path: '(^|/)node_modules/(@aws-sdk|@smithy|@aws-lambda-powertools|aws-lambda|@types/aws-lambda)/',
      },
    },
    {
      name: 'aws-imports-ports',
      comment: 'Law 3: adapters answer the ports and know no stage.',
      severity: 'error',
      from: { path: '^handlers/(aws|memory)/' },
      to: { path: OURS, pathNot: ['^handlers/$1/', '^handlers/[^/]+[.]ts$', '^protocol/'] },
    },
    {
      name: 'ports-import-protocol',
      comment: 'Law 3: what stages and adapters share depends on neither.',
      severity: 'error',
      from: { path: '^handlers/[^/]+[.]ts$' },
      to: { path: OURS, pathNot: ['^handlers/[^/]+[.]ts$', '^protocol/'] },
    },
    {
      name: 'lambda-wires-its-own-stage',
      comment: 'Law 4: a composition root wires its stage to handlers/aws.',
      severity: 'error',
      from: { path: '^handlers/([^/]+)/.+[.]lambda[.]ts$' },
      to: {
        path: OURS,
        pathNot: [
          '^handlers/$1/',
          '^handlers/aws/',
          '^handlers/(environment|ports|workspace|queue-messages|errors)[.]ts$',
          '^protocol/',
        ],
      },
    },
    {
      name: 'nobody-imports-a-lambda',
      comment: 'Law 4: a composition root is bundled, and imported by nothing.',
      severity: 'error',
      from: {},
      to: { path: '[.]lambda[.]ts$' },
    },
    {
      name: 'memory-is-for-tests',
      comment:
        'The adapters in memory serve tests and benchmarks; a function that held state there would lose it.',
      severity: 'error',
      from: { pathNot: ['^handlers/memory/', '^test/', '^bench/'] },
      to: { path: '^handlers/memory/' },
    },
    {
      name: 'infrastructure-imports-variable-names',
      comment:
        'Law 5: of the handlers the stack knows the names of environment variables, and their entry files by path.',
      severity: 'error',
      from: { path: '^infrastructure/' },
      to: { path: OURS, pathNot: ['^infrastructure/', '^handlers/environment[.]ts$'] },
    },
    {
      name: 'local-reads-the-template',
      comment: 'Law 6: the local runtime knows the system by its template alone, which proves the template.',
      severity: 'error',
      from: { path: '^local/' },
      to: { path: OURS, pathNot: '^local/' },
    },
    {
      name: 'nobody-imports-tests',
      comment: 'What is deployed, run or measured does not lean on what tests it.',
      severity: 'error',
      from: { pathNot: '^test/' },
      to: { path: '^test/' },
    },
    {
      name: 'no-cycles',
      comment: 'Law 7: of two files that import each other neither can be understood first.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-rooms-without-a-name',
      comment: 'Law 7: a file is named after what it holds, and so is a folder.',
      severity: 'error',
      from: {},
      to: { path: '/(index|util|utils|common|helper|helpers)([.]|/)', pathNot: '(^|/)node_modules/' },
    },
    ...Object.entries(PACKAGES).map(takesNamedPackages),
    {
      name: 'no-undeclared-dependency',
      comment: 'What is imported stands in package.json.',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'everything-resolves',
      comment: 'An import that leads nowhere hides from every other law.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    parser: 'swc',
    // Type-only imports obey the laws, too: swc sees them.
    doNotFollow: { path: '(^|/)node_modules/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.tsx', '.js', '.mjs', '.cjs', '.json', '.d.ts', '.css'],
      mainFields: ['module', 'main', 'types'],
    },
  },
};
