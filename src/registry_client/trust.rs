//! Whose certificates are believed, and which certificate is shown.
//!
//! As Docker's daemon does it (moby `registry/registry.go`, `loadTLSConfig`): the system's authorities
//! and those in `/etc/docker/certs.d/HOST[:PORT]/*.crt`; a `*.cert` there with its `*.key` is shown
//! to the registry.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, TlsConfig, parse_pem};
use zeroize::Zeroizing;

use super::answer::{Failure, Obstacle};
use super::host::RegistryHost;
use crate::config_file::{open_at_once, read_regular};
use crate::error::{Error, reason};

/// Where Docker looks for the certificates of single registries.
pub const CERTIFICATES: &str = "/etc/docker/certs.d";

/// The system's certificate authorities, read when the first registry with TLS is asked.
static SYSTEM: OnceLock<Vec<Certificate<'static>>> = OnceLock::new();

/// Certificate authorities beside the system's.
#[derive(Clone, Default)]
pub struct Authorities(Arc<Vec<Certificate<'static>>>);

impl Authorities {
    /// Reads files of certificates in PEM.
    ///
    /// # Errors
    ///
    /// [`Error::Unreadable`], and [`Error::InvalidSource`] for a file without a certificate.
    pub fn read(paths: &[PathBuf]) -> Result<Self, Error> {
        let mut certificates = Vec::new();
        for path in paths {
            let label = path.display().to_string();
            let bytes = open_at_once(path)
                .and_then(read_regular)
                .map_err(|cause| Error::Unreadable { path: label.clone(), cause })?;
            certificates.extend(parse_certificates(&bytes).map_err(|()| {
                Error::InvalidSource {
                    source: label,
                    place: None,
                    problem:
                        "holds no certificate in PEM, which begins with -----BEGIN CERTIFICATE-----"
                            .to_owned(),
                }
            })?);
        }
        Ok(Self(Arc::new(certificates)))
    }
}

impl fmt::Debug for Authorities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Authorities({})", self.0.len())
    }
}

/// How TLS is spoken with a host.
pub(super) fn tls_config(
    host: &RegistryHost,
    authorities: &Authorities,
    folder: &Path,
    verified: bool,
) -> Result<TlsConfig, Failure> {
    if CryptoProvider::get_default().is_none() {
        // Another thread may be faster, with the same one.
        let _ = ring::default_provider().install_default();
    }
    let own = Certificates::read(&folder.join(host.as_str()))?;
    let roots = SYSTEM.get_or_init(system).iter().chain(authorities.0.iter()).chain(&own.roots);
    let config = TlsConfig::builder()
        .root_certs(roots.cloned().into())
        .client_cert(own.client)
        .disable_verification(!verified);
    Ok(config.build())
}

fn system() -> Vec<Certificate<'static>> {
    // What can't be read is not there: a certificate that nobody vouches for says so.
    let found = rustls_native_certs::load_native_certs();
    found.certs.iter().map(|found| Certificate::from_der(found).to_owned()).collect()
}

/// The certificates for one registry.
#[derive(Default)]
struct Certificates {
    roots: Vec<Certificate<'static>>,
    client: Option<ClientCert>,
}

impl Certificates {
    fn read(folder: &Path) -> Result<Self, Failure> {
        let mut certificates = Self::default();
        let Ok(entries) = fs::read_dir(folder) else { return Ok(certificates) };
        let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        files.sort();
        for file in &files {
            match file.extension().and_then(|extension| extension.to_str()) {
                Some("crt") => {
                    let bytes = read(file)?;
                    let found = parse_certificates(&bytes).map_err(|()| no_certificate(file))?;
                    certificates.roots.extend(found);
                }
                // Of several the first: Docker lets the registry choose.
                Some("cert") if certificates.client.is_none() => {
                    certificates.client = Some(client(file)?);
                }
                _ => {}
            }
        }
        Ok(certificates)
    }
}

/// A certificate to show, with the key beside it.
fn client(file: &Path) -> Result<ClientCert, Failure> {
    let chain = parse_certificates(&read(file)?).map_err(|()| no_certificate(file))?;
    let key_file = file.with_extension("key");
    let unusable = |problem: &str| {
        let message = format!("{} {problem}", key_file.display());
        Failure::new(Obstacle::Certificates, message)
    };
    let pem = Zeroizing::new(read(&key_file)?.to_vec());
    let key = PrivateKeyDer::from_pem_slice(&pem)
        .map_err(|_| unusable("holds no private key in PEM without a passphrase"))?;
    // The client's library takes for granted that the two belong together.
    let ders = chain.iter().map(|found| CertificateDer::from(found.der().to_vec())).collect();
    rustls::ClientConfig::builder()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_client_auth_cert(ders, key)
        .map_err(|_| unusable("is no key of the certificate beside it"))?;
    let key = PrivateKey::from_pem(&pem).map_err(|_| unusable("holds no private key in PEM"))?;
    Ok(ClientCert::new_with_certs(&chain, key))
}

fn read(file: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    open_at_once(file).and_then(read_regular).map(Zeroizing::new).map_err(|cause| {
        let message = format!("{} can't be read: {}", file.display(), reason(&cause));
        Failure::new(Obstacle::Certificates, message)
    })
}

fn no_certificate(file: &Path) -> Failure {
    let message = format!("{} holds no certificate in PEM", file.display());
    Failure::new(Obstacle::Certificates, message)
}

/// The certificates in a PEM file; an error when there is none, or a broken one.
fn parse_certificates(pem: &[u8]) -> Result<Vec<Certificate<'static>>, ()> {
    let mut certificates = Vec::new();
    for item in parse_pem(pem) {
        if let PemItem::Certificate(found) = item.map_err(drop)? {
            certificates.push(found);
        }
    }
    if certificates.is_empty() { Err(()) } else { Ok(certificates) }
}
