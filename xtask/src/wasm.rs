//! From the WASM that cargo made to what a browser loads: cut, bound to JavaScript, rid of what never runs, optimised.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};
use walrus::{FunctionBuilder, FunctionId, Module};
use wasm_bindgen_cli_support::Bindgen;
use wasm_split_cli_support as split;

use crate::{
    paths::{Mode, Paths},
    process::{run, step},
};

/// Debian's 108 breaks what wasm-bindgen 0.2.130 writes, so this is npm's, with the features named that rustc uses.
const WASM_OPT: [&str; 7] = [
    "-Oz",
    "--enable-reference-types",
    "--enable-bulk-memory",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-multivalue",
];

/// Functions of Leptos that every erased view or route refers to and no browser of ours calls: hydration in steps (we
/// hydrate at one go, see `frontend/src/lib.rs`), and the list of routes, which is the server's.
const NEVER_CALLED: [&str; 2] = ["hydrate_async", "generate_routes"];

/// Classes for bodies of server functions that are streams, exported whether there is one or not. We have none.
const NEVER_USED: [&str; 2] = ["intounderlying", "__wbg_intounderlying"];

/// Writes to `pkg`: clarity.js and clarity_bg.wasm, and the modules of the pages that are apart with their loader.
pub fn package(paths: &Paths, wasm: &Path, pkg: &Path, mode: Mode) -> Result<()> {
    if pkg.exists() {
        fs::remove_dir_all(pkg)?;
    }
    let first = paths.stage(mode, "first.wasm");
    let apart = step("cut the WASM", || cut(wasm, &first, pkg))?;
    step("wasm-bindgen", || bindgen(&first, pkg, mode))?;
    if mode == Mode::Release {
        for module in apart.iter().chain([&pkg.join("clarity_bg.wasm")]) {
            optimise(paths, module)?;
        }
    }
    Ok(())
}

/// Cuts off the code of the pages that are apart (`app/src/pages/apart.rs`): they go to modules in `pkg`, whose paths
/// are returned, the rest to `first`.
fn cut(wasm: &Path, first: &Path, pkg: &Path) -> Result<Vec<PathBuf>> {
    let bytes = fs::read(wasm).with_context(|| wasm.display().to_string())?;
    let mut options = split::Options::new(&bytes);
    options.output_dir = pkg;
    options.main_out_path = first;
    options.main_module = "./clarity.js";
    match split::transform(options) {
        Ok(done) => Ok(done.split_modules),
        Err(error) => bail!("{error:#}"),
    }
}

fn bindgen(wasm: &Path, pkg: &Path, mode: Mode) -> Result<()> {
    let release = mode == Mode::Release;
    let mut bound = Bindgen::new()
        .input_path(wasm)
        .out_name("clarity")
        .web(true)?
        .typescript(false)
        .debug(!release)
        .keep_debug(false)
        // The modules that were cut off use its memory and its table; functions are told by their whole names below.
        .keep_lld_exports(true)
        .demangle(false)
        .remove_name_section(release)
        .remove_producers_section(true)
        .generate_output()
        .context("wasm-bindgen")?;
    if release {
        slim(bound.wasm_mut())?;
    }
    bound.emit(pkg).context("wasm-bindgen")
}

/// Empties functions that are never called and drops exports that are never used; wasm-opt then finds all that only
/// they needed. A call would trap, and the end-to-end tests run on this.
fn slim(module: &mut Module) -> Result<()> {
    let unused: Vec<_> = module
        .exports
        .iter()
        .filter(|export| NEVER_USED.iter().any(|start| export.name.starts_with(start)))
        .map(walrus::Export::id)
        .collect();
    let uncalled: Vec<FunctionId> = module
        .funcs
        .iter_local()
        .map(|(id, _)| id)
        .filter(|id| {
            module.funcs.get(*id).name.as_deref().and_then(function).is_some_and(|name| NEVER_CALLED.contains(&name))
        })
        .collect();
    // A name that Leptos no longer has would make the WASM big again without a word.
    if unused.is_empty() || uncalled.is_empty() {
        bail!("the WASM has none of the functions that are known to be unused: {NEVER_CALLED:?}, {NEVER_USED:?}");
    }
    for export in unused {
        module.exports.delete(export);
    }
    for id in uncalled {
        let (params, results) = module.types.params_results(module.funcs.get(id).ty());
        let (params, results) = (params.to_vec(), results.to_vec());
        let args = params.iter().map(|param| module.locals.add(*param)).collect();
        let mut body = FunctionBuilder::new(&mut module.types, &params, &results);
        body.func_body().unreachable();
        *module.funcs.get_mut(id).kind.unwrap_local_mut() = body.local_func(args);
    }
    Ok(())
}

/// The last word of a mangled path that is not a closure: `_ZN…3any12hydrate_async28_$u7b$$u7b$closure…17h…E`.
fn function(mangled: &str) -> Option<&str> {
    let mut rest = mangled.strip_prefix("_ZN")?;
    let mut last = None;
    while let Some(digits) = rest.find(|c: char| !c.is_ascii_digit()).filter(|digits| *digits > 0) {
        let length: usize = rest[..digits].parse().ok()?;
        let word = rest.get(digits..digits + length)?;
        rest = &rest[digits + length..];
        let is_hash = word.len() == 17 && word.starts_with('h') && rest.starts_with('E');
        if !is_hash && !word.contains("closure") {
            last = Some(word);
        }
    }
    last
}

fn optimise(paths: &Paths, wasm: &Path) -> Result<()> {
    let mut opt = Command::new(paths.join("frontend/node_modules/.bin/wasm-opt"));
    opt.args(WASM_OPT).arg(wasm).arg("-o").arg(wasm);
    run(&format!("wasm-opt {}", wasm.file_name().unwrap_or_default().display()), &mut opt)
}

#[cfg(test)]
mod tests {
    use super::function;

    #[test]
    fn a_function_is_told_by_its_own_name_and_its_closures_by_that() {
        let plain =
            "_ZN53_$LT$T$u20$as$u20$tachys..view..any_view..IntoAny$GT$8into_any13hydrate_async17hafc98f949fe1b1a1E";
        assert_eq!(function(plain), Some("hydrate_async"));
        let closure = "_ZN6tachys14reactive_graph56_$LT$impl$u20$tachys..view..RenderHtml$u20$for$u20$F$GT$13hydrate_async28_$u7b$$u7b$closure$u7d$$u7d$28_$u7b$$u7b$closure$u7d$$u7d$17h54a044d0b1942f76E";
        assert_eq!(function(closure), Some("hydrate_async"));
        // What drops such a closure may be one function with what drops another.
        let other =
            "_ZN4core3ptr71drop_in_place$LT$tachys..hydrate_async..$u7b$$u7b$closure$u7d$$u7d$$GT$17h0123456789abcdefE";
        assert_ne!(function(other), Some("hydrate_async"));
        assert_eq!(function("memcpy"), None);
    }
}
