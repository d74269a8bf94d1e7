# frozen_string_literal: true

require 'json'

Puppet::Type.type(:runner_auth_change).provide(:runner_auth) do
  desc 'Asks runner-auth, and lets it write.'

  VARIABLE = 'RUNNER_AUTH_PASSWORD'

  # The redacted diff of the last answer.
  attr_reader :diff

  def pending?
    answer('--check')['changed']
  end

  def state=(_wanted)
    answer('--yes')
  end

  private

  def answer(option)
    words = [resource[:command], *Array(resource[:arguments]), '--format=json', option]
    words << "--password-env=#{VARIABLE}" if resource[:password]
    environment = resource[:password] ? { VARIABLE => resource[:password] } : {}
    output = Puppet::Util::Execution.execute(
      words, failonfail: false, combine: false, custom_environment: environment, sensitive: true
    )
    report = JSON.parse(output)
    raise Puppet::Error, report['error']['message'] if report['error']

    @diff = report['diff'] unless report['diff'].to_s.empty?
    report
  rescue JSON::ParserError
    raise Puppet::Error, "#{resource[:command]} gave no report (exit status #{output.exitstatus})"
  end
end
