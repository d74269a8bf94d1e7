//! The keys that GitLab Runner knows, table by table.
//!
//! Source: the fields of `Config` and of what it holds in `common/config.go`, `common/config/`,
//! `cache/cacheconfig/`, `referees/` and `helpers/docker/`, put together from GitLab Runner 12.9,
//! 13.12, 14.7, 15.11, 16.11, 17.5, 17.11, 18.11 and 19.3: a key that one of them knows is known. Only
//! `pull_policy` had another type before (a string alone, up to 13.7). `allowed_docker_credential_helpers` of
//! 19.4 is known by its name alone ([`crate::runner::allowed_helpers`]).
//!
//! Each table is a `static`, since one is told from another by where it is: a `const` may be in several
//! places.

use super::Kind;
use super::Kind::{
    Any, Date, Duration, Flag, Float, List, Map, Number, Table, Text, TextList, TextOrList,
};

/// Keys of one kind, with blanks between them.
pub(super) type Group = (Kind, &'static str);

pub(super) static ROOT: &[Group] = &[
    (Text, "listen_address log_level log_format user sentry_dsn"),
    (Table(SESSION_SERVER), "session_server"),
    (Number, "concurrent check_interval shutdown_timeout"),
    (List(&Table(RUNNERS)), "runners"),
    (Duration, "connection_max_age"),
    (Table(ROOT_EXPERIMENTAL), "experimental"),
    (Map(&Text), "labels"),
    (Table(ROOT_MACHINE), "machine"),
];

static ROOT_MACHINE: &[Group] = &[(Table(SHUTDOWN_DRAIN), "shutdown_drain")];

static SHUTDOWN_DRAIN: &[Group] =
    &[(Flag, "enabled"), (Number, "concurrency max_retries"), (Duration, "retry_backoff")];

static ROOT_EXPERIMENTAL: &[Group] = &[(Table(USAGE_LOGGER), "usage_logger")];

static USAGE_LOGGER: &[Group] = &[
    (Flag, "enabled"),
    (Text, "log_dir"),
    (Number, "max_backup_files"),
    (Duration, "max_rotation_age"),
    (Map(&Text), "labels"),
    (TextList, "writers"),
    (Table(LOGROTATE), "logrotate"),
    (Table(SNOWPLOW_BILLING), "snowplow_billing"),
];

static SNOWPLOW_BILLING: &[Group] = &[
    (Text, "collector_uri app_id category realm deployment_type"),
    (Map(&Text), "metadata"),
    (Flag, "enable_oidc skip_oidc_if_unsupported_cloud skip_runner_system_failure"),
    (List(&Float), "batch_delivery_duration_buckets"),
];

static LOGROTATE: &[Group] = &[
    (Text, "log_dir"),
    (Number, "max_backup_files"),
    (Duration, "max_rotation_age"),
    (Map(&Text), "labels"),
];

pub(super) static RUNNERS: &[Group] = &[
    (
        Text,
        "name url token tls-ca-file tls-cert-file tls-key-file executor builds_dir cache_dir \
         clone_url pre_clone_script pre_build_script post_build_script shell post_clone_script \
         pre_get_sources_script post_get_sources_script step_runner_image slot_cgroup_template",
    ),
    (
        Number,
        "limit output_limit request_concurrency unhealthy_requests_limit id \
         job_status_final_update_retry_limit",
    ),
    (TextList, "environment"),
    (Any, "allowed_docker_credential_helpers"),
    (
        Flag,
        "debug_trace_disabled safe_directory_checkout proxy_exec clean_git_config \
         strict_check_interval use_slot_cgroups",
    ),
    (Table(CUSTOM_BUILD_DIR), "custom_build_dir"),
    (Table(REFEREES), "referees"),
    (Table(CACHE), "cache"),
    (Table(SSH), "ssh"),
    (Table(DOCKER), "docker"),
    (Table(PARALLELS), "parallels"),
    (Table(VIRTUALBOX), "virtualbox"),
    (Table(MACHINE), "machine"),
    (Table(KUBERNETES), "kubernetes"),
    (Table(CUSTOM), "custom"),
    (Map(&Flag), "feature_flags"),
    (Duration, "unhealthy_interval prepare_timeout get_sources_timeout"),
    (Date, "token_obtained_at token_expires_at"),
    (Table(INSTANCE), "instance"),
    (Table(FLEETING), "autoscaler"),
    (Table(MONITORING), "monitoring"),
    (Map(&Text), "labels"),
    (Table(ARTIFACT), "artifact"),
    (Table(EXPERIMENTAL), "experimental"),
];

static EXPERIMENTAL: &[Group] = &[(Table(BOOT_VERIFY), "boot_verify")];

static BOOT_VERIFY: &[Group] =
    &[(Flag, "enabled"), (Duration, "timeout acquire_min_backoff acquire_max_backoff")];

static ARTIFACT: &[Group] = &[(Duration, "upload_timeout response_header_timeout")];

static MONITORING: &[Group] = &[(List(&Table(JOB_QUEUING_DURATIONS)), "job_queuing_durations")];

static JOB_QUEUING_DURATIONS: &[Group] =
    &[(TextList, "periods"), (Text, "timezone jobs_running_for_project"), (Duration, "threshold")];

static FLEETING: &[Group] = &[
    (
        Number,
        "capacity_per_instance max_use_count max_instances shutdown_deletion_retries \
         failure_threshold",
    ),
    (Text, "plugin instance_ready_command"),
    (Map(&Any), "plugin_config"),
    (Table(CONNECTOR_CONFIG), "connector_config"),
    (List(&Table(POLICY)), "policy"),
    (Table(VM_ISOLATION), "vm_isolation"),
    (
        List(&Float),
        "instance_operation_time_buckets instance_creation_time_buckets \
         instance_is_running_time_buckets instance_deletion_time_buckets \
         instance_readiness_time_buckets instance_life_duration_buckets",
    ),
    (Flag, "delete_instances_on_shutdown reservation_throttling log_internal_ip log_external_ip"),
    (
        Duration,
        "update_interval update_interval_when_expecting instance_acquire_timeout \
         deletion_retry_interval shutdown_deletion_interval",
    ),
    (Table(SCALE_THROTTLE), "scale_throttle"),
    (Table(STATE_STORAGE), "state_storage"),
];

static STATE_STORAGE: &[Group] =
    &[(Flag, "enabled keep_instance_with_acquisitions"), (Text, "dir")];

static SCALE_THROTTLE: &[Group] = &[(Number, "limit burst")];

static VM_ISOLATION: &[Group] = &[
    (Flag, "enabled"),
    (Text, "nesting_host image"),
    (Map(&Any), "nesting_config"),
    (Table(CONNECTOR_CONFIG), "connector_config"),
];

static CONNECTOR_CONFIG: &[Group] = &[
    (Text, "os arch protocol username password key_path"),
    (Flag, "use_static_credentials use_external_addr"),
    (Duration, "keepalive timeout"),
    (Number, "protocol_port"),
];

static INSTANCE: &[Group] = &[(TextList, "allowed_images"), (Flag, "use_common_build_dir")];

static CUSTOM: &[Group] = &[
    (Text, "config_exec prepare_exec run_exec cleanup_exec"),
    (TextList, "config_args prepare_args run_args cleanup_args"),
    (
        Number,
        "config_exec_timeout prepare_exec_timeout cleanup_exec_timeout graceful_kill_timeout \
         force_kill_timeout",
    ),
];

static KUBERNETES: &[Group] = &[
    (
        Text,
        "host cert_file key_file ca_file bearer_token image namespace namespace_overwrite_allowed \
         cpu_limit cpu_limit_overwrite_max_allowed memory_limit \
         memory_limit_overwrite_max_allowed service_cpu_limit service_memory_limit \
         helper_cpu_limit helper_memory_limit cpu_request cpu_request_overwrite_max_allowed \
         memory_request memory_request_overwrite_max_allowed service_cpu_request \
         service_memory_request helper_cpu_request helper_memory_request helper_image \
         service_account service_account_overwrite_allowed pod_annotations_overwrite_allowed \
         ephemeral_storage_limit ephemeral_storage_limit_overwrite_max_allowed \
         ephemeral_storage_request ephemeral_storage_request_overwrite_max_allowed \
         service_cpu_limit_overwrite_max_allowed service_cpu_request_overwrite_max_allowed \
         service_memory_limit_overwrite_max_allowed service_memory_request_overwrite_max_allowed \
         service_ephemeral_storage_limit service_ephemeral_storage_limit_overwrite_max_allowed \
         service_ephemeral_storage_request \
         service_ephemeral_storage_request_overwrite_max_allowed \
         helper_cpu_limit_overwrite_max_allowed helper_cpu_request_overwrite_max_allowed \
         helper_memory_limit_overwrite_max_allowed helper_memory_request_overwrite_max_allowed \
         helper_ephemeral_storage_limit helper_ephemeral_storage_limit_overwrite_max_allowed \
         helper_ephemeral_storage_request helper_ephemeral_storage_request_overwrite_max_allowed \
         dns_policy helper_image_flavor runtime_class_name node_selector_overwrite_allowed \
         pod_labels_overwrite_allowed scheduler_name priority_class_name \
         node_tolerations_overwrite_allowed logs_base_dir scripts_base_dir context pod_cpu_limit \
         pod_cpu_limit_overwrite_max_allowed pod_cpu_request \
         pod_cpu_request_overwrite_max_allowed pod_memory_limit \
         pod_memory_limit_overwrite_max_allowed pod_memory_request \
         pod_memory_request_overwrite_max_allowed",
    ),
    (
        Flag,
        "bearer_token_overwrite_allowed privileged allow_privilege_escalation namespace_per_job \
         use_service_account_image_pull_secrets helper_image_autoset_arch_and_os \
         automount_service_account_token print_pod_warning_events pod_disruption_budget",
    ),
    (TextOrList, "pull_policy"),
    (Any, "allowed_docker_credential_helpers"),
    (Map(&Text), "node_selector node_tolerations pod_labels pod_annotations"),
    (
        TextList,
        "image_pull_secrets cap_add cap_drop allowed_images allowed_services \
         allowed_pull_policies allowed_users allowed_groups",
    ),
    (
        Number,
        "terminationGracePeriodSeconds poll_interval poll_timeout \
         pod_termination_grace_period_seconds cleanup_grace_period_seconds \
         resource_availability_check_max_attempts retry_limit retry_backoff_max",
    ),
    (Table(POD_SECURITY_CONTEXT), "pod_security_context"),
    (Table(VOLUMES), "volumes"),
    (List(&Table(SERVICES)), "services"),
    (Table(AFFINITY), "affinity"),
    (List(&Table(HOST_ALIASES)), "host_aliases"),
    (Table(DNS_CONFIG), "dns_config"),
    (
        Table(CONTAINER_SECURITY_CONTEXT),
        "build_container_security_context helper_container_security_context \
         service_container_security_context init_permissions_container_security_context",
    ),
    (Table(CONTAINER_LIFECYCLE), "container_lifecycle"),
    (List(&Table(POD_SPEC)), "pod_spec"),
    (Duration, "cleanup_resources_timeout"),
    (Map(&Number), "retry_limits"),
    (Table(AUTOSCALER), "autoscaler"),
];

static AUTOSCALER: &[Group] = &[
    (Number, "max_pause_pods"),
    (Text, "pause_pod_image pause_pod_priority_class_name"),
    (List(&Table(POLICY)), "policy"),
    (TextList, "pause_pod_image_pull_secrets"),
];

static POLICY: &[Group] = &[
    (TextList, "periods"),
    (Text, "timezone"),
    (Number, "idle_count scale_factor_limit"),
    (Duration, "idle_time"),
    (Float, "scale_factor"),
    (Flag, "preemptive_mode"),
];

static POD_SPEC: &[Group] = &[(Text, "name patch_path patch patch_type")];

static CONTAINER_LIFECYCLE: &[Group] = &[(Table(LIFECYCLE_HANDLER), "post_start pre_stop")];

static LIFECYCLE_HANDLER: &[Group] =
    &[(Table(EXEC), "exec"), (Table(HTTP_GET), "http_get"), (Table(TCP_SOCKET), "tcp_socket")];

static TCP_SOCKET: &[Group] = &[(Text, "host"), (Number, "port")];

static HTTP_GET: &[Group] =
    &[(Text, "host path scheme"), (List(&Table(NAME_AND_VALUE)), "http_headers"), (Number, "port")];

static EXEC: &[Group] = &[(TextList, "command")];

static CONTAINER_SECURITY_CONTEXT: &[Group] = &[
    (Table(CAPABILITIES), "capabilities"),
    (Flag, "privileged run_as_non_root read_only_root_filesystem allow_privilege_escalation"),
    (Number, "run_as_user run_as_group"),
    (Text, "selinux_type proc_mount"),
    (Table(SECURITY_PROFILE), "seccomp_profile app_armor_profile"),
];

static CAPABILITIES: &[Group] = &[(TextList, "add drop")];

static DNS_CONFIG: &[Group] =
    &[(TextList, "nameservers searches"), (List(&Table(NAME_AND_VALUE)), "options")];

static NAME_AND_VALUE: &[Group] = &[(Text, "name value")];

static HOST_ALIASES: &[Group] = &[(Text, "ip"), (TextList, "hostnames")];

static AFFINITY: &[Group] = &[
    (Table(NODE_AFFINITY), "node_affinity"),
    (Table(POD_AFFINITY), "pod_affinity pod_anti_affinity"),
];

static POD_AFFINITY: &[Group] = &[
    (List(&Table(POD_AFFINITY_TERM)), "required_during_scheduling_ignored_during_execution"),
    (
        List(&Table(WEIGHTED_POD_AFFINITY_TERM)),
        "preferred_during_scheduling_ignored_during_execution",
    ),
];

static WEIGHTED_POD_AFFINITY_TERM: &[Group] =
    &[(Number, "weight"), (Table(POD_AFFINITY_TERM), "pod_affinity_term")];

static POD_AFFINITY_TERM: &[Group] = &[
    (Table(LABEL_SELECTOR), "label_selector namespace_selector"),
    (TextList, "namespaces match_label_keys mismatch_label_keys"),
    (Text, "topology_key"),
];

static LABEL_SELECTOR: &[Group] =
    &[(Map(&Text), "match_labels"), (List(&Table(MATCH_EXPRESSIONS)), "match_expressions")];

static NODE_AFFINITY: &[Group] = &[
    (Table(NODE_SELECTOR), "required_during_scheduling_ignored_during_execution"),
    (List(&Table(PREFERRED_TERM)), "preferred_during_scheduling_ignored_during_execution"),
];

static PREFERRED_TERM: &[Group] = &[(Number, "weight"), (Table(NODE_SELECTOR_TERM), "preference")];

static NODE_SELECTOR: &[Group] = &[(List(&Table(NODE_SELECTOR_TERM)), "node_selector_terms")];

static NODE_SELECTOR_TERM: &[Group] =
    &[(List(&Table(MATCH_EXPRESSIONS)), "match_expressions match_fields")];

static MATCH_EXPRESSIONS: &[Group] = &[(Text, "key operator"), (TextList, "values")];

static VOLUMES: &[Group] = &[
    (List(&Table(HOST_PATH)), "host_path"),
    (List(&Table(PVC)), "pvc"),
    (List(&Table(PROJECTED_VOLUME)), "config_map secret"),
    (List(&Table(EMPTY_DIR)), "empty_dir"),
    (List(&Table(CSI)), "csi"),
    (List(&Table(NFS)), "nfs"),
];

static NFS: &[Group] = &[(Text, "name mount_path sub_path server path"), (Flag, "read_only")];

static CSI: &[Group] = &[
    (Text, "name mount_path sub_path driver fs_type"),
    (Flag, "read_only"),
    (Map(&Text), "volume_attributes"),
];

static EMPTY_DIR: &[Group] =
    &[(Text, "name mount_path medium sub_path size_limit mount_propagation")];

static PROJECTED_VOLUME: &[Group] =
    &[(Text, "name mount_path sub_path"), (Flag, "read_only"), (Map(&Text), "items")];

static PVC: &[Group] = &[(Text, "name mount_path sub_path mount_propagation"), (Flag, "read_only")];

static HOST_PATH: &[Group] =
    &[(Text, "name mount_path host_path sub_path mount_propagation"), (Flag, "read_only")];

static POD_SECURITY_CONTEXT: &[Group] = &[
    (Number, "fs_group run_as_group run_as_user"),
    (Flag, "run_as_non_root"),
    (List(&Number), "supplemental_groups"),
    (Text, "selinux_type"),
    (Table(SECURITY_PROFILE), "seccomp_profile app_armor_profile"),
];

static SECURITY_PROFILE: &[Group] = &[(Text, "type localhost_profile")];

static MACHINE: &[Group] = &[
    (
        Number,
        "IdleCount IdleTime MaxBuilds OffPeakIdleCount OffPeakIdleTime MaxGrowthRate IdleCountMin \
         MaxRemovalAttempts",
    ),
    (Text, "MachineDriver MachineName OffPeakTimezone"),
    (TextList, "MachineOptions OffPeakPeriods MachineOptionsWithName"),
    (List(&Table(AUTOSCALING)), "autoscaling"),
    (Float, "IdleScaleFactor"),
];

static AUTOSCALING: &[Group] = &[
    (TextList, "Periods"),
    (Text, "Timezone"),
    (Number, "IdleCount IdleTime IdleCountMin"),
    (Float, "IdleScaleFactor"),
];

static VIRTUALBOX: &[Group] = &[
    (Text, "base_name base_snapshot base_folder start_type"),
    (Flag, "disable_snapshots"),
    (TextList, "allowed_images"),
];

static PARALLELS: &[Group] = &[
    (Text, "base_name template_name time_server"),
    (Flag, "disable_snapshots"),
    (TextList, "allowed_images"),
];

static DOCKER: &[Group] = &[
    (
        Text,
        "host tls_cert_path hostname image runtime memory memory_swap memory_reservation \
         cpuset_cpus cpus userns_mode volume_driver cache_dir network_mode helper_image gpus \
         helper_image_flavor user ipcmode mac_address isolation cgroup_parent service_memory \
         service_memory_swap service_memory_reservation service_cgroup_parent service_cpuset_cpus \
         service_cpus cpuset_mems service_gpus service_slot_cgroup_template pid_mode",
    ),
    (
        Flag,
        "tls_verify privileged disable_entrypoint_overwrite oom_kill_disable disable_cache \
         services_privileged enable_ipv6 volume_keep",
    ),
    (
        Number,
        "cpu_shares oom_score_adjust wait_for_services_timeout shm_size services_limit \
         service_cpu_shares network_mtu",
    ),
    (
        TextList,
        "dns dns_search cap_add cap_drop security_opt devices volumes extra_hosts volumes_from \
         links allowed_images allowed_services services_security_opt device_cgroup_rules \
         allowed_pull_policies allowed_users group_add allowed_privileged_images \
         allowed_privileged_services",
    ),
    (List(&Table(SERVICES)), "services"),
    (TextOrList, "pull_policy"),
    (Any, "allowed_docker_credential_helpers"),
    (
        Map(&Text),
        "tmpfs services_tmpfs sysctls volume_driver_ops container_labels ulimit log_options",
    ),
    (Map(&TextList), "services_devices"),
];

static SERVICES: &[Group] = &[(Text, "name alias"), (TextList, "command entrypoint environment")];

static SSH: &[Group] = &[
    (Text, "user password host port identity_file known_hosts_file"),
    (Flag, "disable_strict_host_key_checking"),
];

static CACHE: &[Group] = &[
    (Text, "Type Path"),
    (Flag, "Shared"),
    (Table(S3), "s3"),
    (Table(GCS), "gcs"),
    (Table(AZURE), "azure"),
    (Number, "MaxUploadedArchiveSize"),
];

static AZURE: &[Group] = &[(Text, "AccountName AccountKey ContainerName StorageDomain")];

static GCS: &[Group] = &[(Text, "AccessID PrivateKey CredentialsFile BucketName UniverseDomain")];

const S3: &[Group] = &[
    (
        Text,
        "ServerAddress AccessKey SecretKey BucketName BucketLocation AuthenticationType \
         ServerSideEncryption ServerSideEncryptionKeyID SessionToken UploadRoleARN RoleARN",
    ),
    (Flag, "Insecure DualStack PathStyle Accelerate DisableAssumeRoleCredentialsCaching"),
    (Number, "AssumeRoleMaxConcurrency"),
];

static REFEREES: &[Group] = &[(Table(METRICS), "metrics")];

static METRICS: &[Group] =
    &[(Text, "prometheus_address"), (Number, "query_interval"), (TextList, "queries")];

static CUSTOM_BUILD_DIR: &[Group] = &[(Flag, "enabled")];

static SESSION_SERVER: &[Group] =
    &[(Text, "listen_address advertise_address"), (Number, "session_timeout")];
