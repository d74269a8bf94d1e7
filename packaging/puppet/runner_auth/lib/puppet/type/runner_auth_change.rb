# frozen_string_literal: true

Puppet::Type.newtype(:runner_auth_change) do
  @doc = 'A change by runner-auth, which is made when it would change something.'

  newparam(:name, namevar: true) do
    desc 'What the change is called.'
  end

  newparam(:command) do
    desc 'Where runner-auth is.'
  end

  newparam(:arguments, array_matching: :all) do
    desc 'The subcommand and its options. A password is none of them.'
  end

  newparam(:password) do
    desc 'The password, which is handed over in the environment.'
  end

  newproperty(:state) do
    desc 'Whether everything is as wanted.'
    newvalue(:applied)
    defaultto :applied

    def retrieve
      provider.pending? ? :pending : :applied
    end

    # What --noop shows: the diff, in which secrets are placeholders.
    def is_to_s(value)
      value == :pending ? "pending:\n#{provider.diff}" : value.to_s
    end

    def change_to_s(_current, _wanted)
      "applied:\n#{provider.diff}"
    end
  end

  # The others hold no secret.
  def set_sensitive_parameters(names)
    parameter(:password).sensitive = true if names.include?(:password) && parameter(:password)
    super(names - [:password])
  end
end
