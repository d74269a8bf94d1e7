# A credential for a registry in the config of GitLab Runner.
#
# @param registry the registry, as HOST[:PORT][/PATH]
# @param ensure whether the credential is there
# @param username the user
# @param password the password, which is handed over in the environment of the command
# @param runner the names of the runners; without them, and without token and all, the only runner there is
# @param token the tokens of the runners, their first 8 or 9 characters
# @param all every runner
# @param config the config; without it the one that GitLab Runner itself reads
# @param command where runner-auth is
define runner_auth::credential (
  String[1]                       $registry = $title,
  Enum['present', 'absent']       $ensure   = 'present',
  Optional[String[1]]             $username = undef,
  Optional[Sensitive[String[1]]]  $password = undef,
  Array[String[1]]                $runner   = [],
  Array[String[1]]                $token    = [],
  Boolean                         $all      = false,
  Optional[String[1]]             $config   = undef,
  String[1]                       $command  = '/usr/local/bin/runner-auth',
) {
  if $ensure == 'present' and ($username == undef or $password == undef) {
    fail("runner_auth::credential ${title} needs a username and a password")
  }
  $verb = $ensure ? { 'present' => ['set', "--username=${username}"], default => ['remove'] }
  $where = $config ? { undef => [], default => ["--config=${config}"] }
  $every = $all ? { true => ['--all'], default => [] }
  runner_auth_change { "runner-auth ${title}":
    command   => $command,
    arguments => $verb + $where + $every + ["--registry=${registry}"]
      + $runner.map |$name| { "--name=${name}" }
      + $token.map |$short| { "--token=${short}" },
    password  => $password,
  }
}
