"""The text of `bnbench --help`, on one screen; that of each command is in `parsers`."""

HELP = """\
bnbench: benchmarking and reproducibility for batch normalization

  bnbench run [key=value ...] [-m]     measure, train or check, as the configuration says
  bnbench check NAME [key=value ...]   is it right? (NAME as listed, or package.module.Class)
                [--thorough]           with the cases that take long; only some: task.cases=GLOB
  bnbench list [--json]                implementations, suites of problems, presets
  bnbench data [NAME]                  data sets and where they are; with a NAME, gets that one
  bnbench compare [BEFORE AFTER]       two sessions: what became faster, slower, broken
  bnbench gate BASE [HEAD] [key=value] two revisions, built, side by side: is HEAD slower, or wrong?
  bnbench replay RUN [key=value ...]   run it again in fresh processes: what differs first?
                 [--level LEVEL]       bitwise, equivalent or statistical; RUN: session, folder, key
                                       or id of MLflow's
  bnbench ui [key=value ...]           MLflow on 127.0.0.1, with links to the useful pages
  bnbench doctor [--json]              what this machine can measure, and what disturbs it
                 [--measure]           how much noise it has: a minute, or --seconds N, with
                                       --threads N

run, by example
  bnbench run experiment=quick                        everything once, in about three minutes
  bnbench run task=throughput problem=resnet50 -m device.threads=1,2
  bnbench run 'problem.shapes=[[32,64,56,56],[256,128]]' 'task.phases=[inference]'
  bnbench run task=convergence task.model=cnn task.optimizer=adam
  bnbench run 'implementations=[torch_native,{_target_: my_bn.Mine}]'
  bnbench run ... resume=true                         only what the journal lacks
  bnbench run ... --cfg job                           show the configuration, run nothing
  bnbench run ... --config-dir my/conf                add your own groups and presets

bnbench COMMAND --help shows its options.
Sweeps: -m key=a,b,c runs each; with hydra/launcher=joblib in parallel, timed sections one by one.
Exit: 0 well, 1 failed or regressed, 2 wrong usage, 3 undecided or incomplete, 130 interrupted.
"""
