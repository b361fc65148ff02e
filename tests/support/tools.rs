//! The Kubernetes programs, built once from the pinned Go modules in `tests/support/tools`.
//!
//! * `KUBEBUILDER_ASSETS` (the convention of envtest) names a ready folder, used as it is. It must hold `etcd`,
//!   `kube-apiserver`, `kube-controller-manager`, `kube-scheduler`, `kubectl`, `kwok`, `helm3` and `helm4`; a plain
//!   `helm` stands for the one of the two that it is.
//! * Else they are built with Go into `STEADYSET_TOOLS_CACHE`, or `steadyset/tools` below the user's cache folder.
//!   A module's folder carries the hash of its go.mod and go.sum, so a new version is a new folder.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};

/// Where the programs are.
#[derive(Debug, Clone)]
pub struct Tools {
    dirs: Vec<PathBuf>,
}

/// One Go module of `tests/support/tools`.
struct Module {
    folder: &'static str,
    /// The name Go gives the program and ours.
    programs: &'static [(&'static str, &'static str)],
    /// The module whose version go.mod pins, and where the linker writes it.
    pins: &'static str,
    symbols: &'static [&'static str],
    takes: &'static str,
}

const MODULES: &[Module] = &[
    Module {
        folder: "kubernetes",
        programs: &[
            ("server", "etcd"),
            ("kube-apiserver", "kube-apiserver"),
            ("kube-controller-manager", "kube-controller-manager"),
            ("kube-scheduler", "kube-scheduler"),
            ("kubectl", "kubectl"),
        ],
        pins: "k8s.io/kubernetes",
        symbols: &[
            "k8s.io/component-base/version.gitVersion={version}",
            "k8s.io/component-base/version.gitMajor={major}",
            "k8s.io/component-base/version.gitMinor={minor}",
        ],
        takes: "about five minutes on two cores",
    },
    Module {
        folder: "kwok",
        programs: &[("kwok", "kwok")],
        pins: "sigs.k8s.io/kwok",
        symbols: &[],
        takes: "about a minute",
    },
    Module {
        folder: "helm3",
        programs: &[("helm", "helm3")],
        pins: "helm.sh/helm/v3",
        symbols: &["helm.sh/helm/v3/internal/version.version={version}"],
        takes: "about a minute",
    },
    Module {
        folder: "helm4",
        programs: &[("helm", "helm4")],
        pins: "helm.sh/helm/v4",
        symbols: &["helm.sh/helm/v4/internal/version.version={version}"],
        takes: "about a minute and a half",
    },
];

/// Reads `PromQL` as Prometheus does. No control plane needs it, so it is built when it is asked for.
const PROMQL: Module = Module {
    folder: "promql",
    programs: &[("promql", "promql")],
    pins: "github.com/prometheus/prometheus",
    symbols: &[],
    takes: "half a minute",
};

/// Answer as the API server of a minor version does, without one. They are built when they are asked for, and share a source.
const ORACLES: &[(u32, Module)] = &[(36, oracle("oracle/1.36"))];

const fn oracle(folder: &'static str) -> Module {
    Module {
        folder,
        programs: &[("oracle", "oracle")],
        pins: "k8s.io/kubernetes",
        symbols: &[],
        takes: "two minutes on two cores",
    }
}

/// What a user may take instead of `steadyset audit`; only `make compare` asks for them. kube-linter and polaris would belong here, but
/// proxy.golang.org answers 403 for both; the command line of kyverno is left out for the size of its build.
const RIVALS: &[Module] = &[
    Module {
        folder: "kube-score",
        programs: &[("kube-score", "kube-score")],
        pins: "github.com/zegl/kube-score",
        symbols: &[],
        takes: "about a minute",
    },
    Module {
        folder: "conftest",
        programs: &[("conftest", "conftest")],
        pins: "github.com/open-policy-agent/conftest",
        symbols: &[],
        takes: "some minutes",
    },
];

/// A program that judges manifests as ours does.
#[derive(Debug)]
pub struct Rival {
    pub name: &'static str,
    pub program: PathBuf,
    pub version: String,
}

/// The programs that `audit` is compared with, built unless they are there.
///
/// # Errors
/// Without Go, or when a build fails.
pub fn rivals() -> Result<Vec<Rival>> {
    let cache = cache_folder()?;
    let rivals = RIVALS.iter().map(|module| {
        Ok(Rival {
            name: module.folder,
            program: module.built(&cache)?.join(module.folder),
            version: module.pinned_version(&module.source())?,
        })
    });
    rivals.collect()
}

impl Tools {
    /// Finds the programs, building what is missing.
    ///
    /// # Errors
    /// Without Go and without ready programs, when a build fails, or when the ready folder lacks one; the message
    /// says what to do.
    pub fn ready() -> Result<Self> {
        if let Some(assets) = env::var_os("KUBEBUILDER_ASSETS") {
            return Self::from_assets(Path::new(&assets));
        }
        let cache = cache_folder()?;
        let dirs = MODULES
            .iter()
            .map(|module| module.built(&cache))
            .collect::<Result<_>>()?;
        Ok(Self { dirs })
    }

    /// The path of a program.
    ///
    /// # Errors
    /// When none of the folders holds it.
    pub fn path(&self, program: &str) -> Result<PathBuf> {
        let mut candidates = self.dirs.iter().map(|dir| dir.join(program));
        if let Some(found) = candidates.find(|path| path.is_file()) {
            return Ok(found);
        }
        match program {
            "helm3" | "helm4" => self.plain_helm(program),
            _ => bail!("{program} is not in {}", self.shown()),
        }
    }

    /// The program that reads `PromQL` expressions, one a line, and prints what they select.
    ///
    /// # Errors
    /// Without Go, or when the build fails.
    pub fn promql() -> Result<PathBuf> {
        Ok(PROMQL.built(&cache_folder()?)?.join("promql"))
    }

    /// The program that answers as the API server of Kubernetes 1.`minor` does.
    ///
    /// # Errors
    /// Without Go, when the build fails, or for a version without one.
    pub fn oracle(minor: u32) -> Result<PathBuf> {
        let (_, module) = ORACLES
            .iter()
            .find(|(of, _)| *of == minor)
            .with_context(|| format!("there is no oracle of Kubernetes 1.{minor}"))?;
        Ok(module.built(&cache_folder()?)?.join("oracle"))
    }

    fn from_assets(assets: &Path) -> Result<Self> {
        let tools = Self {
            dirs: vec![assets.to_owned()],
        };
        let names = MODULES
            .iter()
            .flat_map(|module| module.programs)
            .map(|(_, name)| *name);
        let missing: Vec<_> = names.filter(|name| tools.path(name).is_err()).collect();
        ensure!(
            missing.is_empty(),
            "KUBEBUILDER_ASSETS={} lacks {}: put them there, or unset the variable and have Go build them",
            assets.display(),
            missing.join(", ")
        );
        Ok(tools)
    }

    /// A ready folder's `helm`, if it is of the wanted major version.
    fn plain_helm(&self, wanted: &str) -> Result<PathBuf> {
        let major = wanted.replace("helm", "v");
        let mut candidates = self
            .dirs
            .iter()
            .map(|dir| dir.join("helm"))
            .filter(|path| path.is_file());
        candidates
            .find(|path| {
                let version = Command::new(path).args(["version", "--short"]).output();
                version.is_ok_and(|output| output.stdout.starts_with(major.as_bytes()))
            })
            .with_context(|| {
                format!(
                    "neither {wanted} nor a helm of that version is in {}",
                    self.shown()
                )
            })
    }

    fn shown(&self) -> String {
        self.dirs
            .iter()
            .map(|dir| dir.display().to_string())
            .collect::<Vec<_>>()
            .join(", ")
    }
}

impl Module {
    fn source(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/support/tools")
            .join(self.folder)
    }

    /// Its name in the cache.
    fn name(&self) -> String {
        self.folder.replace('/', "-")
    }

    /// The folder with this module's programs, built unless it is there.
    fn built(&self, cache: &Path) -> Result<PathBuf> {
        let source = self.source();
        let ready = cache.join(format!("{}-{}", self.name(), self.key(&source)?));
        if ready.is_dir() {
            return Ok(ready);
        }
        fs::create_dir_all(cache).with_context(|| format!("cannot write {}", cache.display()))?;
        let lock = File::create(cache.join(format!("{}.lock", self.name())))?;
        lock.lock().context("cannot lock the tools cache")?;
        if !ready.is_dir() {
            self.build(&source, &ready)?;
        }
        Ok(ready)
    }

    /// Builds beside the folder and renames, so that a folder that exists is whole.
    fn build(&self, source: &Path, ready: &Path) -> Result<()> {
        let (started, folder) = (Instant::now(), self.folder);
        eprintln!("building {folder} with Go, once ({})", self.takes);
        let unfinished = ready.with_added_extension("unfinished");
        let _ = fs::remove_dir_all(&unfinished);
        fs::create_dir_all(&unfinished)?;
        let output = Command::new("go")
            .current_dir(source)
            .args(["build", "-trimpath", "-mod=readonly", "-ldflags"])
            .arg(self.ldflags(source)?)
            .arg("-o")
            .arg(&unfinished)
            .arg("tool")
            .envs([("CGO_ENABLED", "0"), ("GOWORK", "off"), ("GOFLAGS", "")])
            .output()
            .context(
                "the tests need a control plane: install Go 1.26 or newer (https://go.dev/dl/) so that it can be built, \
                 or set KUBEBUILDER_ASSETS to a folder with the programs",
            )?;
        let log = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.success(),
            "`go build` of {} failed:\n{log}",
            source.display()
        );
        for (built, wanted) in self.programs {
            fs::rename(unfinished.join(built), unfinished.join(wanted))
                .with_context(|| format!("`go build` of {folder} left no program {built}"))?;
        }
        fs::rename(&unfinished, ready)?;
        eprintln!("built {folder} in {} s", started.elapsed().as_secs());
        Ok(())
    }

    /// Programs learn their version from the linker.
    fn ldflags(&self, source: &Path) -> Result<String> {
        let version = self.pinned_version(source)?;
        let mut parts = version.trim_start_matches('v').split('.');
        let (major, minor) = (
            parts.next().unwrap_or_default(),
            parts.next().unwrap_or_default(),
        );
        let filled = self.symbols.iter().map(|symbol| {
            let value = symbol
                .replace("{version}", &version)
                .replace("{major}", major)
                .replace("{minor}", minor);
            format!(" -X {value}")
        });
        Ok(std::iter::once("-s -w".to_owned()).chain(filled).collect())
    }

    fn pinned_version(&self, source: &Path) -> Result<String> {
        let go_mod = fs::read_to_string(source.join("go.mod"))?;
        let mut pins = go_mod
            .lines()
            .map(|line| line.trim().trim_start_matches("require "));
        let pin = pins.find_map(|line| line.strip_prefix(self.pins)?.strip_prefix(' '));
        let version = pin.and_then(|rest| rest.split_whitespace().next());
        Ok(version
            .with_context(|| format!("{} does not pin {}", source.display(), self.pins))?
            .to_owned())
    }

    /// What the programs depend on: the pins and how we build.
    fn key(&self, source: &Path) -> Result<String> {
        let mut hash = Sha256::new();
        for file in ["go.mod", "go.sum"] {
            hash.update(
                fs::read(source.join(file))
                    .with_context(|| format!("{file} of {}", self.folder))?,
            );
        }
        for shared in ["main.go", "../main.go"] {
            if let Ok(own) = fs::read(source.join(shared)) {
                hash.update(own);
            }
        }
        hash.update(self.symbols.concat());
        let bytes = hash.finalize();
        let start = bytes
            .first_chunk::<8>()
            .context("a hash is longer than that")?;
        Ok(format!("{:016x}", u64::from_be_bytes(*start)))
    }
}

fn cache_folder() -> Result<PathBuf> {
    if let Some(cache) = env::var_os("STEADYSET_TOOLS_CACHE") {
        return Ok(PathBuf::from(cache));
    }
    let user = env::var_os("XDG_CACHE_HOME")
        .filter(|path| !path.is_empty())
        .map(PathBuf::from);
    let home = || env::var_os("HOME").map(|home| Path::new(&home).join(".cache"));
    let user = user
        .or_else(home)
        .context("set STEADYSET_TOOLS_CACHE: there is neither XDG_CACHE_HOME nor HOME")?;
    Ok(user.join("steadyset/tools"))
}
