/** Stylesheets are imported for esbuild, which writes them to main.css. */
declare module '*.css';
