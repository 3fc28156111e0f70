// What a bundler makes of the file: its address, its bytes or a module of it, all of which `init` takes.
declare const library: string | object;
export default library;
