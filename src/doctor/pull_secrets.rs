//! Pods of the kubernetes executor that pull with something else than the auth entry.

use super::subject::Subject;
use super::{Code, Finding};
use crate::runner::pod_pull_secrets::{NAMED, PodPullSecrets, SERVICE_ACCOUNT};

/// An entry whose Secret is attached to no pod, or beside others.
pub(super) fn check(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let config = subject.config;
    let secrets = PodPullSecrets::of(config, &config.runners()[subject.number]);
    let span = |value| config.syntax().node(value).span();
    if let Some(value) = secrets.service_account {
        findings.push(subject.finding(
            Code::UnattachedPullSecret,
            span(value),
            "GitLab Runner (from 16.9 on) then attaches no pull Secret of its own to a pod: the \
             credentials of this runner's auth entry pull nothing",
            format!(
                "take {SERVICE_ACCOUNT} out, or the entry, if no job reads it, and give the service \
                 account the pull Secret"
            ),
        ));
    } else if let Some(value) = secrets.named {
        findings.push(subject.finding(
            Code::BesidePullSecrets,
            span(value),
            "pods get these Secrets as well, before the one that is made of the auth entry: the \
             kubelet tries the credentials of each that fit an image",
            format!("keep a registry in one of the two places, {NAMED} or the entry"),
        ));
    }
}
