//! Tells the linker that Node.js itself provides the functions of Node-API.

fn main() {
    napi_build::setup();
}
