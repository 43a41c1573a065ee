"""Programs that no parser knows: their metrics are read, and nothing else is."""

import math
import re

import pytest
from helpers import engine_of
from hypothesis import given, settings
from hypothesis import strategies as st

from capture.authoring import samples
from capture.errors import UserError
from capture.language.checked_yaml import Source
from capture.language.library import built_in, by_name, load
from capture.language.readers import Line
from capture.parsers import general, vocabulary
from capture.parsers.general import mapping, names, pairs, positions
from capture.parsers.general.line import ScannedLine
from capture.parsing.pipeline import Pipeline

PARSER = by_name("general")


def parse(text, parsers=(PARSER,)):
    pipeline = Pipeline(engine_of(parsers))
    records = pipeline.feed(text.encode(), 0) + pipeline.finish()
    assert not pipeline.engine.events
    return records


def read(text):
    return general.read(Line(text, frame=None, alone=True), general.begin(), {}).found


def short(text, **more):
    return [(record.epoch, record.step, dict(record.metrics)) for record in parse(text + "\n", **more)]


LINES = [
    # names and numbers
    ("epoch 3 step 120 loss=0.53 acc: 91.2%", 3, 120, {"loss": 0.53, "acc": 0.912}),
    ("[12/100] loss: 0.3 | acc: 0.9", None, 12, {"loss": 0.3, "acc": 0.9}),
    ("Epoch [1/5], Step [100/600], Loss: 0.2345", 1, 100, {"Loss": 0.2345}),
    ("[Epoch 3] [Batch 100/938] [D loss: 0.5] [G loss: 1.2]", 3, 100, {"D loss": 0.5, "G loss": 1.2}),
    ("Loss after 6400 examples: 0.512", None, 6400, {"Loss": 0.512}),
    ("Accuracy at step 100: 0.91", None, 100, {"Accuracy": 0.91}),
    ("Train Epoch: 1 [640/60000 (1%)]\tLoss: 0.53", 1, 640, {"Train/Loss": 0.53}),
    ("iter 10: loss 2.3, time 50ms", None, 10, {"loss": 2.3, "time_ms": 50}),
    ("step:100/500 train_loss:3.2 step_avg:50ms", None, 100, {"train_loss": 3.2, "step_avg_ms": 50}),
    ("Iteration 100, loss = 0.5", None, 100, {"loss": 0.5}),
    ("Validation accuracy 0.92", None, None, {"Validation accuracy": 0.92}),
    ("After 100 training step(s), validation accuracy is 0.91", None, None, {"validation accuracy": 0.91}),
    ("mIoU 0.55", None, None, {"mIoU": 0.55}),
    ("PSNR: 31.2 dB", None, None, {"PSNR": 31.2}),
    ("Reward: -12", None, None, {"Reward": -12}),
    ("step 9 val_bpb: 1.1 | perplexity 12", None, 9, {"val_bpb": 1.1, "perplexity": 12}),
    ("BLEU = 27.30 58.2/33.4/21.1/13.7 (BP = 1.000 ratio = 1.002)", None, None, {"BLEU": 27.3, "BP": 1.0, "ratio": 1.002}),
    ("| epoch   1 |   200/ 2983 batches | lr 20.00 | ms/batch 5.3 | loss 7.6 | ppl 2000.1", 1, 200,
     {"lr": 20.0, "ms/batch": 5.3, "loss": 7.6, "ppl": 2000.1}),
    ("Ep 10 | Reward 5.0 | Avg100 4.3 | eps 0.9", 10, None, {"Reward": 5.0, "Avg100": 4.3, "eps": 0.9}),
    ("global_step=100, episodic_return=23.0", None, 100, {"episodic_return": 23.0}),
    ("Best val acc: 0.93 (best epoch 12)", None, None, {"Best val acc": 0.93}),
    ("Accuracy of the network on the 10000 test images: 55 %", None, None, {"Accuracy of the network on the test images": 0.55}),
    ("Accuracy: 9850/10000 (98%)", None, None, {"Accuracy": 0.985}),
    ("New best! Saved with val loss: 0.5", None, None, {"val loss": 0.5}),
    ("|      test_loss      |   0.5561   |", None, None, {"test_loss": 0.5561}),
    ("│         test_acc          │    0.7812      │", None, None, {"test_acc": 0.7812}),
    ("==> epoch 0 mean_loss=2.385253", 0, None, {"mean_loss": 2.385253}),
    (" * Acc@1 71.234 Acc@5 90.12", None, None, {"Acc@1": 71.234, "Acc@5": 90.12}),
    ("30/50 [=====>.....] - 1s 5ms/step - loss: 0.5", None, 30, {"loss": 0.5}),
    ("Fold 2 epoch 3 loss 0.5", 3, None, {"loss": 0.5}),
    ("Training loss (for one batch) at step 100: 0.5", None, 100, {"Training/loss (for one batch)": 0.5}),
    ("Mean squared error: 2548.07", None, None, {"Mean squared error": 2548.07}),
    ("Iteration 100 (5.1 iter/s, 0.19s/10 iters), loss = 0.5", None, 100, {"loss": 0.5}),
    ("    Train net output #1: loss = 0.5 (* 1 = 0.5 loss)", None, None, {"Train/loss": 0.5}),
    ("Step 50/100000; acc:   4.13; ppl: 12345.67; 1234/2345 tok/s;     12 sec", None, 50, {"acc": 4.13, "ppl": 12345.67}),
    ("global_step=100, episodic_return=[23.]", None, 100, {"episodic_return": 23}),
    ("Run: 01, Epoch: 10, Loss: 0.5, Train: 90.00%", 10, None, {"Loss": 0.5, "Train": 0.9}),
    ("steps: 10 loss: 9.1 iter time (s): 0.123 samples/sec: 123.4", None, 10,
     {"loss": 9.1, "iter time (s)": 0.123, "samples/sec": 123.4}),
    ("i=100, loss=0.5", None, 100, {"loss": 0.5}),
    ("step 2: loss 0.5, grad_norm 0.9, scale 32768", None, 2, {"loss": 0.5, "grad_norm": 0.9, "scale": 32768}),
    ("Train loss 5 1.171202 Grad Norm 0.526163 0.01s/it", None, 5, {"Train loss": 1.171202, "Grad Norm": 0.526163}),
    ("Validation loss 15:  0.878570", None, 15, {"Validation loss": 0.87857}),
    ("Loss for final step: 0.7.", None, None, {"Loss for final step": 0.7}),
    ("Iteration 10, lr = 0.2", None, 10, {"lr": 0.2}),
    ("Train / Test accuracy: 0.373 / 0.280.", None, None, {"Train accuracy": 0.373, "Test accuracy": 0.28}),
    ("epoch 2 train/val loss: 0.5/0.6", 2, None, {"train loss": 0.5, "val loss": 0.6}),
    ("Last 10 training episodes: mean/median reward 20.1/19.5, min/max reward 9.0/30.0", None, None,
     {"training/mean reward": 20.1, "training/median reward": 19.5, "training/min reward": 9, "training/max reward": 30}),
    ("Epoch: 3 LR: 0.01", 3, None, {"LR": 0.01}),
    ("Score at iteration 10 is 0.53", None, 10, {"Score": 0.53}),
    ("         Current function value: 0.000012", None, None, {"Current function value": 0.000012}),
    ("     | > loss: 1.38 (1.40)", None, None, {"loss": 1.38, "loss/avg": 1.4}),
    ("Epoch: 1/4 Train steps: 10 Val steps: 3 0.03s loss: 1.13 val_loss: 1.2", 1, 10,
     {"Val steps": 3, "loss": 1.13, "val_loss": 1.2}),
    ("MRR: 0.2140 Hits@10: 0.5757", None, None, {"MRR": 0.214, "Hits@10": 0.5757}),
    ("(epoch = 1, train_loss = 0.63f0, test_acc = 0.72f0)", 1, None, {"train_loss": 0.63, "test_acc": 0.72}),
    ("Best score: 0.95", None, None, {"Best score": 0.95}),
    ("*** Best metric: 81.25 (epoch 3)", 3, None, {"Best metric": 81.25}),
    ("Acc: 88.20% (4410/5000)", None, None, {"Acc": 0.882}),
    ("accuracy 0.882 (4410/5000)", None, None, {"accuracy": 0.882}),
    ("loss: 0.5 (100/600)", None, 100, {"loss": 0.5}),
    ("completed step: 1, loss: 12.9", None, 1, {"loss": 12.9}),
    ("eta: N/A  iter: 60  loss: 0.5", None, 60, {"loss": 0.5}),
    ("step:1K ep:3 epch:0.06 loss:0.5", 0.06, 1000, {"loss": 0.5}),
    ("epoch: 4 ep: 3 loss: 0.5", 4, None, {"loss": 0.5}),
    ("optimizer=adam loss=0.4", None, None, {"loss": 0.4}),
    ("mode=val step=3 loss=0.4", None, 3, {"val/loss": 0.4}),
    # positions without a word
    ("[1,  2000] loss: 2.173", 1, 2000, {"loss": 2.173}),
    ("[0/25][100/1583]\tLoss_D: 0.5", 0, 100, {"Loss_D": 0.5}),
    ("[7]\ttrain-rmse:1.78602\tvalid-rmse:1.80438", None, 7, {"train-rmse": 1.78602, "valid-rmse": 1.80438}),
    ("100: loss=0.5", None, 100, {"loss": 0.5}),
    ("#12 loss=0.5", None, 12, {"loss": 0.5}),
    ("12\tloss=0.5", None, 12, {"loss": 0.5}),
    ("Train: 3 [  50/1251 (  4%)]  Loss: 6.94", 3, 50, {"Train/Loss": 6.94}),
    ("wer 12.3, WER 12.34 [ 100 / 812, 10 ins, 20 del ]", None, None, {"wer": 12.3, "WER": 12.34}),
    # of which part of the data
    ("train Loss: 0.66 Acc: 0.61", None, None, {"train Loss": 0.66, "train Acc": 0.61}),
    ("Train: loss 0.5 acc 0.9 | Val: loss 0.6 acc 0.95", None, None,
     {"Train/loss": 0.5, "Train/acc": 0.9, "Val/loss": 0.6, "Val/acc": 0.95}),
    ("Test set: Average loss: 0.0521", None, None, {"Test/Average loss": 0.0521}),
    ("1epoch results: [train] loss=0.5, acc=0.7, [valid] loss=0.6, acc=0.8", 1, None,
     {"train/loss": 0.5, "train/acc": 0.7, "valid/loss": 0.6, "valid/acc": 0.8}),
    ("2epoch:train:1-10batch: loss=1.197, grad_norm=0.5", 2, None, {"train/loss": 1.197, "grad_norm": 0.5}),
    ("Epoch[0] Validation-cross-entropy=0.711677", 0, None, {"Validation-cross-entropy": 0.711677}),
    ("[Epoch 0] validation: err-top1=0.19 err-top5=0.01", 0, None,
     {"validation/err-top1": 0.19, "validation/err-top5": 0.01}),
    # tails
    ("iter=70 loss=4.94 |--->", None, 70, {"loss": 4.94}),
    ("step 3 loss 0.5 [00:12<00:30, 3.1it/s]", None, 3, {"loss": 0.5}),
    ("PSNR 21.5 [02/03 10:11:12]", None, None, {"PSNR": 21.5}),
    # names of parts before a bracket
    ("loss[loss=1.6, simple_loss=1.2], tot_loss[loss=3.7]", None, None,
     {"loss/loss": 1.6, "loss/simple_loss": 1.2, "tot_loss/loss": 3.7}),
    ("step 3, train[loss: 1.6, acc: 0.5], val[loss: 3.7]", None, 3, {"train/loss": 1.6, "train/acc": 0.5, "val/loss": 3.7}),
    ("[D loss: 0.5, acc: 63%] [G loss: 1.2]", None, None, {"D loss": 0.5, "D acc": 0.63, "G loss": 1.2}),
    ("loss(x, y) = param(0.0913291)", None, None, {"loss": 0.0913291}),
    ("accuracy(m, x, label, 0.0:9) = 0.10525", None, None, {"accuracy": 0.10525}),
    # one name twice
    ("Mean Return: 0.300. Std of Return: 0.250", None, None, {"Mean Return": 0.3, "Std of Return": 0.25}),
    ("step 1 loss 0.5 loss 0.6", None, 1, {"loss": 0.5}),
    # numbers of other things
    ("mAP@.5:.95: 0.3", None, None, {"mAP@.5:.95": 0.3}),
    ("mAP@0.5:0.95 = 0.31", None, None, {"mAP@0.5:0.95": 0.31}),
    ("epoch 1 memory: 66.91GiB(37.51%) loss: 0.5", 1, None, {"memory_GiB": 66.91, "loss": 0.5}),
    ("epoch 1 loss: 0.5 Something=13.0-21.6", 1, None, {"loss": 0.5}),
    ("(trainer:464) epoch 1 loss 0.5", 1, None, {"loss": 0.5}),
    # a second number
    ("loss 7.3 (9.3)", None, None, {"loss": 7.3, "loss/avg": 9.3}),
    ("Epoch: [0][  10/5005]\tLoss 6.98e+00 (7.00e+00)\tAcc@1   0.00 (  0.14)", 0, 10,
     {"Loss": 6.98, "Loss/avg": 7.0, "Acc@1": 0.0, "Acc@1/avg": 0.14}),
    ("Accuracy: 92.34% (+/- 1.20%)", None, None, {"Accuracy": 0.9234, "Accuracy/std": 0.012}),
    ("loss: 0.53 ± 0.01 acc 0.9 (best 0.95 at epoch 3)", None, None, {"loss": 0.53, "loss/std": 0.01, "acc": 0.9, "acc/best": 0.95}),
    # notations
    ("step 10, loss 1,234.5 lr 1.2e-4 tokens 3.1k", None, 10, {"loss": 1234.5, "lr": 0.00012, "tokens": 3100}),
    ("epoch 1 loss inf acc -inf", 1, None, {"loss": math.inf, "acc": -math.inf}),
    ("loss: tensor(0.53, device='cuda:0', grad_fn=<NllLossBackward0>)", None, None, {"loss": 0.53}),
    # mappings
    ('{"epoch": 1, "loss": 0.5}', 1, None, {"loss": 0.5}),
    ('{"epoch": 1, "train": {"loss": 0.5, "acc": 0.9}, "val": {"loss": 0.6}}', 1, None,
     {"train/loss": 0.5, "train/acc": 0.9, "val/loss": 0.6}),
    ("{'loss': '0.6956', 'learning_rate': '0.000225', 'epoch': '0.25'}", 0.25, None, {"loss": 0.6956, "learning_rate": 0.000225}),
    ("{'loss': np.float64(0.5), 'acc': tensor(0.5, device='cuda:0'), 'name': 'x', 'lr': [0.1, 0.2]}", None, None,
     {"loss": 0.5, "acc": 0.5}),
    ('{"global_step": 7, "batch": 3, "loss": Infinity, "done": true}', None, 7, {"loss": math.inf}),
    ("Eval results: {'accuracy': 0.91, 'f1': 0.9}", None, None, {"Eval/accuracy": 0.91, "Eval/f1": 0.9}),
    ("Epoch 3: {'loss': 0.5}", 3, None, {"loss": 0.5}),
    ("DQN_2026: epoch=1 step=50 epoch=1 metrics={'loss': 0.42, 'td_loss': 0.3} step=50", 1, 50,
     {"loss": 0.42, "td_loss": 0.3}),
    ("epoch 1 scores defaultdict(<class 'float'>, {'precision': 0.5, 'recall': np.float32(0.6)})", 1, None,
     {"precision": 0.5, "recall": 0.6}),
    ('  "accuracy": 0.91,', None, None, {"accuracy": 0.91}),
    ('  "accuracy": "0.91",', None, None, {"accuracy": 0.91}),
    # settings beside metrics
    ('{"loss": 5.1, "epoch": 3, "batch_size": 32, "n_parameters": 86567656}', 3, None, {"loss": 5.1}),
    ('{"train_lr": 0.0009, "train_loss": "4.01", "epoch": 49, "n_parameters": 11590840}', 49, None,
     {"train_lr": 0.0009, "train_loss": 4.01}),
    ("step 20 {'loss': 0.5, 'batch_size': 32, 'config': {'lr': 0.1}}", None, 20, {"loss": 0.5}),
    ('{"test_acc": 0.81, "test_f1": 0.8, "dataset": "cora"}', None, None, {"test_acc": 0.81, "test_f1": 0.8}),
    # the word for the step
    ('{"episode": 1080.0, "episode_reward": 609.8, "step": 270000}', None, 270000, {"episode_reward": 609.8}),
    ('{"step": 20, "global_step": 2020, "loss": 0.5}', None, 2020, {"loss": 0.5}),
    ('{"epoch": 4, "update": 3.25, "loss": 3.1}', 4, None, {"loss": 3.1}),
    # several numbers
    ("epoch 2 dice [0.91, 0.87]", 2, None, {"dice/0": 0.91, "dice/1": 0.87}),
    ("  [ 150] obj=103805.95 err= 0.60%/14.92%", None, 150, {"obj": 103805.95, "err/0": 0.006, "err/1": 0.1492}),
    ("epoch 1 lr:(2.0e-04,) loss: 0.5", 1, None, {"lr": 2e-4, "loss": 0.5}),
    ("[('loss', 0.5), ('acc', 0.9)]", None, None, {"loss": 0.5, "acc": 0.9}),
    ("(:epoch,8,:loss,38.7f0)", 8, None, {"loss": 38.7}),
    ("f=1.5 loss= 1.03972D+03", None, None, {"f": 1.5, "loss": 1039.72}),
    # words and numbers in other orders
    ("focal loss at iteration 100: 0.5", None, 100, {"focal loss": 0.5}),
    ("training loss at iteration 100: 0.5", None, 100, {"training/loss": 0.5}),
    ("loss in epoch 3: 0.5", 3, None, {"loss": 0.5}),
    ("20th loss: 0.5", None, 20, {"loss": 0.5}),
    ("test accuracy:   985 / 1000", None, None, {"test accuracy": 0.985}),
    ("3301420 loss: 0.5", None, None, {"loss": 0.5}),
    ("loss in epoch 1 iteration 20: 1.5", 1, 20, {"loss": 1.5}),
    ("Training loss at step 300: 0.75, accuracy: 0.5", None, 300, {"Training/loss": 0.75, "Training/accuracy": 0.5}),
    ("Valid HITS@1 at step 300: 0.5", None, 300, {"Valid/HITS@1": 0.5}),
    ("   1 train loss:  2.5 test acc: 68.0%", None, 1, {"train loss": 2.5, "test acc": 0.68}),
    ("Train 0, loss: 1.75, train acc: 0.5", 0, None, {"Train/loss": 1.75, "train acc": 0.5}),
    ("# of episode :20, avg score : 22.5", None, 20, {"avg score": 22.5}),
    ("#Iter=  7       Train=1242.25   Test=1239.5", None, 7, {"Train": 1242.25, "Test": 1239.5}),
    ("Epoch: 2, Steps: 225 | Train Loss: 0.5 Vali Loss: 0.25", 2, None, {"Train Loss": 0.5, "Vali Loss": 0.25}),
    ("valid step:10 top1:0.5 loss:0.25", None, 10, {"valid/top1": 0.5, "valid/loss": 0.25}),
    # the parts of the data
    ("Train: 0.5, Val: 0.25, Test: 0.125", None, None, {"Train": 0.5, "Val": 0.25, "Test": 0.125}),
    ("Dev: time: 1.5s, acc: 0.5, p: 0.25, patience: 3", None, None, {"time_s": 1.5, "Dev/acc": 0.5, "Dev/p": 0.25, "patience": 3}),
    ("valid (NDCG@10: 0.5, HR@10: 0.75), test (NDCG@10: 0.25, HR@10: 0.5)", None, None,
     {"valid/NDCG@10": 0.5, "valid/HR@10": 0.75, "test/NDCG@10": 0.25, "test/HR@10": 0.5}),
    ("train Loss: 0.5 Img2Txt: 0.25 lr: 0.125", None, None, {"train Loss": 0.5, "train Img2Txt": 0.25, "lr": 0.125}),
    ("epoch: 1 success rate: 0.75", 1, None, {"success rate": 0.75}),
    ("# =====> Epoch: 1 Average gen loss = 0.5, KLD = 16.5; Finished in 0:01:00", 1, None, {"Average gen loss": 0.5, "KLD": 16.5}),
    ("------>val: epoch: 1, val_loss: 0.75", 1, None, {"val_loss": 0.75}),
    ("***** Evaluation ***** >>>> MeanIoU: 51.25", None, None, {"MeanIoU": 51.25}),
    ("Losses {'ner': 117.5, 'tagger': 0.5}", None, None, {"Losses/ner": 117.5, "Losses/tagger": 0.5}),
    ("Epoch  2,   550/  725; acc:   0.25; 5187 src tok/s; 5634 tgt tok/s;     55 s elapsed", 2, 550, {"acc": 0.25}),
    ("Epoch 3, Loss (train/val): 0.5/0.25", 3, None, {"train Loss": 0.5, "val Loss": 0.25}),
    ("[epoch]: 199, [batch]: 300, [loss]: 4.5", 199, 300, {"loss": 4.5}),
    ("Epoch:3, loss2.8047, acc 0.5", 3, None, {"loss": 2.8047, "acc": 0.5}),
    ("Epoch[1] Loss[0.5] Acc[91.2%]", 1, None, {"Loss": 0.5, "Acc": 0.912}),
    ("Episode 7 finished after 3 timesteps and got 0.5 reward", None, 7, {"reward": 0.5}),
    ("Total rewards in episode 73 is 3.5 total number of steps are 3626", None, 73, {"Total rewards": 3.5}),
    ("Process 100/3161(3.1%) average objf: -0.5 over 6400.0 frames, epoch 0", 0, 100, {"average objf": -0.5}),
    ("Accuracy on 50,000 train images:  60.5 %", None, None, {"Accuracy on train images": 0.605}),
    ("Episode Return = -21.0 | Episodes = 2 | Steps = 1528", None, 1528, {"Episode Return": -21.0}),
    ("* class [1] IoU 68.5", None, None, {"class 1/IoU": 68.5}),
    ("Class 2 - Precision: 0.5, Recall: 0.6", None, None, {"Class 2/Precision": 0.5, "Class 2/Recall": 0.6}),
    (" * Finished epoch  30  top1: 57.0%  best: 57.7%", 30, None, {"top1": 0.57, "best": 0.577}),
    ("Mean AP: 78.6%", None, None, {"Mean AP": 0.786}),
    ("best acc is: 0.98", None, None, {"best acc": 0.98}),
    ("Epoch 00005: reducing learning rate of group 0 to 1.0000e-04.", 5, None, {"learning rate": 0.0001}),
    ("Adjusting learning rate of group 1 to 0.001", None, None, {"learning rate/1": 0.001}),
    ("Updating learning rate to 5e-05", None, None, {"learning rate": 5e-05}),
    ("Stop, reached max_epochs = 6 with best_epoch = 5 and best_valid_logloss = 0.5", None, None, {"best_valid_logloss": 0.5}),
    ("task : ['CAR', 'CYCLIST'], loss: 0.5, loss_elem: ['0.4710', '0.4611', '1.1239', '0.8052', '1.4148', '0.5662', '0.6'], hm_loss: 0.25",
     None, None, {"loss": 0.5, "hm_loss": 0.25}),
    ("Train step 100 | loss 0.5", None, 100, {"Train/loss": 0.5}),
    ("LOSS train 0.5 valid 0.25", None, None, {"train LOSS": 0.5, "valid LOSS": 0.25}),
    ("Epoch 3 | Loss: train 0.5, val 0.25 | Acc: train 50%, val 25%", 3, None,
     {"train Loss": 0.5, "val Loss": 0.25, "train Acc": 0.5, "val Acc": 0.25}),
    ("Accuracy train=0.5 val=0.25 lr=0.1", None, None, {"train Accuracy": 0.5, "val Accuracy": 0.25, "lr": 0.1}),
    ("[4/9][8/12] G_Loss (Content/Advers/Total): 0.5/1.25/0.75", 4, 8,
     {"G_Loss/Content": 0.5, "G_Loss/Advers": 1.25, "G_Loss/Total": 0.75}),
    ("Train/Val/Test acc: 0.5/0.25/0.125", None, None, {"Train acc": 0.5, "Val acc": 0.25, "Test acc": 0.125}),
    ("train_metrics={'loss': 0.5, 'acc': 0.25}", None, None, {"train/loss": 0.5, "train/acc": 0.25}),
    ("epoch 1, val loss: {'total': 0.5, 'kl': 0.25}", 1, None, {"val loss/total": 0.5, "val loss/kl": 0.25}),
    ("1: train {'loss': 0.5}, val_m={'loss': 0.25}", None, 1, {"train/loss": 0.5, "val/loss": 0.25}),
    ("ORG: precision:  73.5%; recall:  64.5%; FB1:  68.5  249", None, None,
     {"ORG/precision": 0.735, "ORG/recall": 0.645, "ORG/FB1": 68.5}),
    ("Class 2: precision: 0.5, recall: 0.25", None, None, {"Class 2/precision": 0.5, "Class 2/recall": 0.25}),
    ("Results: acc: 0.5", None, None, {"acc": 0.5}),
    ("Image 00012: PSNR: 31.5", None, None, {"PSNR": 31.5}),
    ("img_0012.png: PSNR: 31.5", None, None, {"PSNR": 31.5}),
    ("best dev  acc: 98.5%, precision: 82.5%", None, None, {"best dev acc": 0.985, "best dev precision": 0.825}),
    ("train: 937 loss: 1.75", None, None, {"train/loss": 1.75}),
    ("valid_epoch:2 loss:0.5", 2, None, {"valid/loss": 0.5}),
    ("Train source1 iter: 10 Loss: 0.5", None, 10, {"Train source1/Loss": 0.5}),
    ('{"phase": "val", "epoch": 2, "loss": 0.5}', 2, None, {"val/loss": 0.5}),
    ("Data for epoch 2 { loss: 0.5, acc: 0.25 }", 2, None, {"loss": 0.5, "acc": 0.25}),
    # a best value's epoch is not where the run is
    ("current epoch 2 mean dice: 0.25 best mean dice: 0.5 at epoch 1", 2, None, {"mean dice": 0.25, "best mean dice": 0.5}),
    ("Epoch 12/50 AUC: 0.5 (best so far: 0.75 from epoch 9)", 12, None, {"AUC": 0.5, "best so far": 0.75}),
    # signs around numbers
    ("loss: 0.5| acc: 12.5%| f1: 25.0%", None, None, {"loss": 0.5, "acc": 0.125, "f1": 0.25}),
    ("Iter-20; Loss: 9.5; Recon: 9.25; KL: 0.5;", None, 20, {"Loss": 9.5, "Recon": 9.25, "KL": 0.5}),
    ("Epoch: 1/5.. Training Loss: 0.5.. Test Loss: 0.25..", 1, None, {"Training Loss": 0.5, "Test Loss": 0.25}),
    ("Epoch [   1/5   ] --> Loss : 9.5\tPerplexity: 12.5", 1, None, {"Loss": 9.5, "Perplexity": 12.5}),
    ("Epoch 3 => loss: 0.5 => acc: 0.25", 3, None, {"loss": 0.5, "acc": 0.25}),
    ("Iteration    7: Cost     8.5   ", None, 7, {"Cost": 8.5}),
    ("[1: 10/500] train loss: 0.5", 1, 10, {"train loss": 0.5}),
    ("5 (20%): \t average batch loss = 1.5", None, 5, {"average batch loss": 1.5}),
    ("loss 0.5 (min 0.25), acc: 0.5 (init: 0.25)", None, None, {"loss": 0.5, "loss/min": 0.25, "acc": 0.5, "acc/init": 0.25}),
    ("episode reward total was -21.0. running mean: -20.5", None, None, {"episode reward total": -21.0, "running mean": -20.5}),
    ("Average return in last 50 episodes: -88.5 Episode return: -109.5", None, None,
     {"Average return in last episodes": -88.5, "Episode return": -109.5}),
    ("Val Loss for epoch 2 0.5", 2, None, {"Val/Loss": 0.5}),
    ("Epoch 2: Time: 0m 12s loss: 0.5", 2, None, {"loss": 0.5}),
    ("Hits @ 10:  0.5, Rank-1: 35.5%, minDCF(0.01): 0.25", None, None, {"Hits@10": 0.5, "Rank-1": 0.355, "minDCF(0.01)": 0.25}),
    ("Epoch 1: log likelihood = -12312.5, Neg. ELBO: 1.5", 1, None, {"log likelihood": -12312.5, "Neg ELBO": 1.5}),
    ("eval avg class acc: 0.5, loss_int: 0.25", None, None, {"eval avg class acc": 0.5, "eval loss_int": 0.25}),
    ("Epoch 3, train 0.75 val 0.5 lr 1.0e-03 *", 3, None, {"train": 0.75, "val": 0.5, "lr": 0.001}),
    ("loss_kp_of    --- train: 616.5       val: 753.5", None, None, {"train loss_kp_of": 616.5, "val loss_kp_of": 753.5}),
    ("48: [D loss: 7.5, acc: 0.5]  [A loss: 0.25, acc: 1.0]", None, 48,
     {"D loss": 7.5, "D acc": 0.5, "A loss": 0.25, "A acc": 1.0}),
    ("Iter 10: Train loss 0.5, Val r1_std 0.25", None, 10, {"Train loss": 0.5, "Val r1_std": 0.25}),
    ("MSE: 1.5, Val: 2.5, MAE: 3.5, Val: 4.5, Loss: 5.5", None, None,
     {"MSE": 1.5, "Val": 2.5, "MAE": 3.5, "Val MAE": 4.5, "Loss": 5.5}),
    ("onEpochEnd 1 { loss: 0.5, acc: 0.25 }", 1, None, {"loss": 0.5, "acc": 0.25}),
    ("7 { size: 1, loss: 0.5 }", None, 7, {"size": 1, "loss": 0.5}),
    ("Epoch=3, Val.Acc.=0.5, Mean Rank: 512.5", 3, None, {"Val.Acc.": 0.5, "Mean Rank": 512.5}),
    # at a count, and what only looks like one
    ("Loss at 1000 = 1.5", None, 1000, {"Loss": 1.5}),
    ("Optimization Iteration:    101, Training Accuracy:  12.5%", None, 101, {"Training Accuracy": 0.125}),
    ("1 Batch accuracy: 0.5 Val accuracy: 0.25", None, 1, {"Batch accuracy": 0.5, "Val accuracy": 0.25}),
    ("Epoch: 007/100 | Loss: 0.5 | Episodes: 135 |", 7, None, {"Loss": 0.5}),
    ("epoch: 2000 , loss: 21.5 , speed: 75.5 s / 1000 epoch", 2000, None, {"loss": 21.5, "speed": 75.5}),
    ("Environment solved in 13 episodes!\tAverage Score: 196.5", None, 13, {"Average Score": 196.5}),
    ("Epoch: 001/010 | Train: 45.5%", 1, None, {"Train": 0.455}),
    ("[EPOCH]: 00 | [LR]: 0.5 | [TRAIN LOSS]: 2.5", 0, None, {"LR": 0.5, "TRAIN LOSS": 2.5}),
    ("epoch 3 D(x):0.5 D(G(z)):0.25 loss: 0.125", 3, None, {"D(x)": 0.5, "D(G(z))": 0.25, "loss": 0.125}),
    ("Test R²: 0.5", None, None, {"Test R²": 0.5}),
    # other languages
    ("Epoch 1/5 | 训练损失: 0.5 | 验证集准确率: 87.5%", 1, None, {"训练损失": 0.5, "验证集准确率": 0.875}),
    ("第3轮，损失：0.5，准确率：0.25", 3, None, {"损失": 0.5, "准确率": 0.25}),
    ("轮次 3/10 训练集: 损失 0.5 准确率 0.25", 3, None, {"训练集/损失": 0.5, "训练集/准确率": 0.25}),
    ("epoch【1】, 测试 Recall@10: 0.5", 1, None, {"测试 Recall@10": 0.5}),
    ("정확도: 0.5, 재현율: 0.25", None, None, {"정확도": 0.5, "재현율": 0.25}),
    ("[训练] 损失: 0.5, 验证损失: 0.25", None, None, {"训练/损失": 0.5, "验证损失": 0.25}),
    ("イテレーション 10 || 損失: 16.5", None, 10, {"損失": 16.5}),
    ("损失1: 0.5 损失2: 0.25", None, None, {"损失1": 0.5, "损失2": 0.25}),
    ("[Epoche 1, Batch 200/3990] Verlust: 0.5", 1, 200, {"Verlust": 0.5}),
    ("Época 3 - pérdida: 0.5", 3, None, {"pérdida": 0.5}),
    ("Episode 100 | Avg Reward: -1.5 | ε: 0.5", None, 100, {"Avg Reward": -1.5, "ε": 0.5}),
    ("fan\t\tAUC: 54.5\tpAUC: 49.75", None, None, {"fan/AUC": 54.5, "fan/pAUC": 49.75}),
    # names with signs and digits
    ("epoch 3, loss: 0.5, acc(%): 72.5, mIoU[%]: 33.0", 3, None, {"loss": 0.5, "acc(%)": 72.5, "mIoU[%]": 33.0}),
    ("F1(k=20): 0.5 - NDCG(k=20): 0.25", None, None, {"F1(k=20)": 0.5, "NDCG(k=20)": 0.25}),
    ("2d joint loss: 0.5, 3d joint loss: 0.25", None, None, {"2d joint loss": 0.5, "3d joint loss": 0.25}),
    ("epoch 3, 0_f_rmse = 0.5, 1_f_rmse = 0.25", 3, None, {"0_f_rmse": 0.5, "1_f_rmse": 0.25}),
    ("Epoch: [1][10/230]  Xent 7.5 (6.25)  Acc 0.0 (0.5)", 1, 10, {"Xent": 7.5, "Xent/avg": 6.25, "Acc": 0.0, "Acc/avg": 0.5}),
    ("Best Prec@1: 36.5", None, None, {"Best Prec@1": 36.5}),
    ("acc: 364159.0/388505.0=0.9375", None, None, {"acc": 0.9375}),
    # dates behind, settings between
    ("EPOCH 1/100, loss = 0.5 @ 2021-01-14 10:52:33.539342", 1, None, {"loss": 0.5}),
    ("step: 27, loss:0.5 etc:Tue Sep 17 15:31:45 2019", None, 27, {"loss": 0.5}),
    ("Epoch 1: head: default, loss=  0.5", 1, None, {"loss": 0.5}),
    (" 1187: 3.027621 avg loss, 0.010000 rate", None, 1187, {"avg loss": 3.027621, "rate": 0.01}),
    ("test: L1 0.25 PSNR 18.9 [02/03 10:11:12]", None, None, {"test/L1": 0.25, "test/PSNR": 18.9}),
    ("f1-score (micro avg)  0.65", None, None, {"f1-score (micro avg)": 0.65}),
    ("nupdates: 700 | loss: 0.5", None, 700, {"loss": 0.5}),
    ("[0807 20:05:17 @monitor.py:474] losses/box_loss: 0.08", None, None, {"losses/box_loss": 0.08}),
    ("loss: 0.5, fg/bg=(64/192), eta: 1 day, 0:07:58, size: (8, 19)", None, None, {"loss": 0.5}),
]  # fmt: skip


@pytest.mark.parametrize(("line", "epoch", "step", "metrics"), LINES, ids=[case[0] for case in LINES])
def test_lines_of_programs(line, epoch, step, metrics):
    assert short(line) == [(epoch, step, metrics)]


def examples(recognisers):
    return [(r, example) for r in recognisers for example in re.findall("`([^`]+)`", r.__doc__)]


@pytest.mark.parametrize(("recogniser", "example"), examples(pairs.RECOGNISERS))
def test_a_recogniser_of_pairs_is_the_first_to_recognise_its_examples(recogniser, example):
    start = re.search("[A-Za-z]", example).start()
    name = names.name_at(example, start)
    first = next(r for r in pairs.RECOGNISERS if r(example, name, ScannedLine()))
    assert first is recogniser


POSITIONS = [*positions.AT_BEGINNING, *positions.AT_NUMBER]
POSITIONS += dict.fromkeys(r for recognisers in positions.AT_WORD.values() for r in recognisers)


@pytest.mark.parametrize(("recogniser", "example"), examples(POSITIONS))
def test_a_recogniser_of_positions_recognises_its_examples(recogniser, example):
    assert recogniser(example, 0, ScannedLine())


@settings(max_examples=300)
@given(st.sampled_from([case[0] for case in LINES]), st.data())
def test_what_was_found_in_lines_before_changes_nothing(line, data):
    """Lines that differ in digits alone are looked at once."""
    other = re.sub(r"\d", lambda _: data.draw(st.sampled_from("0123456789")), line)
    general._known.clear()
    unprepared = repr(read(other))
    general._known.clear()
    read(line)
    assert repr(read(other)) == unprepared


def test_nan_is_a_value():
    ((_, _, metrics),) = short("step 1 loss: nan")
    assert math.isnan(metrics["loss"])


@pytest.mark.parametrize("line", [case[0] for case in LINES])
def test_every_line_that_is_read_passes_the_gate(line):
    assert any(literal in line for literal in vocabulary.LITERALS)


@pytest.mark.parametrize("line", [
    "model-step=200-loss=0.41.bin            0%    0KB   1.2MB/s   00:05 ETA",
    "[Parsed_psnr_0 @ 0x55f876fb9f80] PSNR y:53.027309 u:50.704141",
    "loss-logger-0               0/1     Error     12            41m",
    "0\t10\tloss accuracy 0.5 model price rain",
    "swarm.global_best:   0%|                |0/60",
    "loss_decimal_place = 4",
    "net.mptcp.stale_loss_cnt = 4",
    "[master 455807a] step 2: lower lr to 0.02, loss better by 0.1",
    # of packets, and settings
    "                loss: 0% (0/200)",
    "SYSLOG_PKT_LOSS: 0",
    "         Average of loss-rate : 0 ",
    "precision: 16",
    "precision: 0.5\nrows: 3\n\nsaved",
    "stoploss: -0.25",
    "net.bluetooth.rfcomm.mcc_timeout = 20",
    "Info: SELECT count(id) FROM users WHERE ppl=371079",
    "Requested accuracy = 0.5",
    "Namespace(lr=0.1, loss='mse', loss_weight=0.5)",
    "config: loss_weight=0.5, accuracy_target=0.9",
    "loss_weight: 0.5",
    "  score_threshold: 0.5",
    "precision: 16",
    "learning_rate: 0.1",
    '{"lr": 0.1, "loss": "mse", "epochs": 10}',
    "{'loss': 0.5, 'batch_size': 32, 'optimizer': 'adam'}",
    '{"epoch": 100, "lr": 0.1, "batch_size": 32, "seed": 1, "loss_weight": 0.5}',
    '{"dataset": "cora", "accuracy": 0.9, "patience": 10}',
    "| loss_weight | 0.5 |",
    "  --loss LOSS           loss (default: 0.5)",
    "training with lr=0.01 batch=32",
    "lr: 0.01, steps: 200",
    "max_steps: 200",
    # failures
    "RuntimeError: epoch 3: loss=0.25 acc=0.5",
    "UserWarning: loss=0.5 is deprecated",
    "E       AssertionError: loss=0.5 acc=0.9",
    "FAILED tests/test_loss.py::test_a[loss=0.5] - assert 0.5 == 0.6",
    "error: 1",
    "step 3/10: error 127",
    "0 errors, 12 warnings",
    # code
    "        loss = 0.5",
    "   12 |     loss = 0.5",
    "+    loss = 0.5",
    "-loss: 0.5",
    "12:loss: 0.25",
    "loss(epoch=3, acc=0.9)",
    "loss(x) = x + 0.5",
    'logging.info({"loss": 0.5})',
    'parse("epoch 1: loss=0.5")',
    "self.running_loss = 0.5",
    "return 0.5",
    # tools
    "torchmetrics-loss        1.0",
    "rouge-score              0.1.2",
    "Collecting rouge_score==0.1.2",
    "Successfully installed accuracy-0.9.1 rouge-1.0.1",
    "5 packets transmitted, 5 received, 0% packet loss, time 4005ms",
    "10.0.0.1 - - [20/Nov/2026:13:26:40 +0000] \"GET /loss?x=0.5 HTTP/1.1\" 200 512",
    "GET /api/score 200 12.3ms",
    "-rw-r--r-- 1 root root 12345 Nov 20 13:26 loss",
    "+ python train.py --loss 0.5",
    "root 123 0.0 0.1 python train.py loss=0.5",
    "#11 [3/5] RUN echo loss 0.5",
    "Compiling loss v0.1.0 (/tmp/loss)",
    "Press F1 3 times",
    "Path loss: 85 dB",
    "Location accuracy: 12.5 m",
    "ok  \texample.com/accuracy\t0.123s",
    "PASS: loss 0.5",
    "Step 5/10 : ENV ACC=0.5",
    "wandb:     loss 0.5",
    "RX errors 0  dropped 0  overruns 0  frame 0",
    "Score: 120",
    "/dev/sda1 f1 0.5",
    "commit 1: Lower the loss weight to 0.5 (accuracy 0.92)",
    # what was, or should be
    "Loaded the model of epoch 12 (val_loss 0.345)",
    "Resumed from epoch 12, loss: 0.5",
    "Epoch 12: val_loss improved from 0.5 to 0.4, saving model to x.h5",
    "the loss should be 0.5",
    "the accuracy that we have seen in all the other experiments of this kind was 0.5",
    "Class     Images     Labels          P          R     mAP@.5 mAP@.5:.95: 100%|####| 14/14 [00:28<00:00,  2.03s/it]",
    "Class     Images     Labels          P          R     mAP@.5 mAP@.5:.95:  50%",
    # numbers that are none
    "loss 0.53...",
    "loss 0.5…",
    "loss: 1.2e",
    "loss 0.5.1",
    "loss 12:30",
    "loss 2026-11-20",
    "accuracy 0x12",
    "accuracy: 100%|██████████| 4.2k/4.2k [00:00<00:00, 5.1MB/s]",
    "loss: info",
    "# the loss is 0.5",
    "the default, loss = 0.5",
    "Train: 45000, Val: 5000, Test: 10000",
    "train: 0.8, val: 0.1, test: 0.1",
    "Train: 80.0% Val: 10.0% Test: 10.0%",
    "loss at 10:01:00",
    "--- PASS: TestLoss/acc=1 (0.01s)",
    "reward-0   1/1     Running   0          3d",
    "iou_normalizer=0.07",
    "epochs ━━━━━━━━━━ 0/3 0:00:00 loss=nan acc=0.000",
])  # fmt: skip
def test_what_is_no_metric_gives_nothing(line):
    assert short(line) == []


def test_the_output_of_a_test_run_gives_nothing():
    assert short("===== test session starts =====\nepoch 1: loss=0.5\nloss = 0.25, step = 3") == []


def test_a_warning_in_the_same_line_changes_nothing():
    assert short("epoch 1 loss 0.53/usr/lib/python3/x.py:12: UserWarning: lr 0.1 is high") == [
        (1, None, {"loss": 0.53})
    ]
    assert short("epoch 1 loss 0.53 UserWarning: acc 0.1") == [(1, None, {"loss": 0.53})]


def test_a_heading_gives_the_epoch_of_the_lines_below():
    text = (
        "Epoch 0/24\n----------\ntrain Loss: 0.6\nval Loss: 0.7\n\nEpoch 1/24\n----------\ntrain Loss: 0.5\n"
    )
    text += "Epoch: 02 | Epoch Time: 0m 12s\n\tTrain Loss: 0.4 | Train Acc: 62.13%"
    assert [epoch for epoch, _, _ in short(text)] == [0, 0, 1, 2]


@pytest.mark.parametrize("heading", [
    "Step 200", "--- Step 200/1000 ---", "Iteration: \t 200", "GLOBAL_STEP: 200", "Generation 200 of 500:", "ITERATION 200 (165.40s)",
    "-------------Round number: 200-------------",
])  # fmt: skip
def test_a_heading_gives_the_step_of_the_lines_below(heading):
    assert short(f"{heading}\nLoss: \t 0.6\nMaxRew: \t -1.5") == [
        (None, 200, {"Loss": 0.6}),
        (None, 200, {"MaxRew": -1.5}),
    ]


@pytest.mark.parametrize("line", ["max_steps: 200", "iterations: 200", "training with lr=0.01 batch=32"])
def test_a_setting_gives_no_step_to_the_lines_below(line):
    assert short(f"{line}\nloss: 0.6") == [(None, None, {"loss": 0.6})]


def test_every_hundredth_iteration_is_not_scikit_learns():
    text = "I0117 21:23:58.108911 23352 trainer.cpp:228] Iteration 4000, loss = 0.35\nTest accuracy: 0.5\n"
    text += "I0117 21:23:59.108911 23352 trainer.cpp:106] Iteration 4000, lr = 0.1"
    parsers = [parser for parser, _ in built_in()]
    assert short(text, parsers=parsers) == [
        (None, 4000, {"loss": 0.35}),
        (None, 4000, {"Test accuracy": 0.5}),
        (None, 4000, {"lr": 0.1}),
    ]


def test_one_metric_in_a_list_is_enough_for_all():
    text = "Iteration: 3\nMeanSlowdown: 8.09\nLoss: 0.5\nNumTrajs: 200\nMeanLen: 162.7 +- 13.3\nDone in 3 s\nfans: 3.5"
    assert short(text) == [
        (None, 3, {"MeanSlowdown": 8.09}),
        (None, 3, {"Loss": 0.5}),
        (None, 3, {"MeanLen": 162.7, "MeanLen/std": 13.3}),
    ]


def test_a_list_below_the_heading_of_an_evaluation_needs_no_metrics_word():
    text = "[Epoch 3] Validation: \naeroplane=0.0003\nbicycle=0.0001\nDone in 3.2 s\nspeed=0.1"
    assert short(text) == [(3, None, {"aeroplane": 0.0003}), (3, None, {"bicycle": 0.0001})]


def test_what_recurs_below_lines_of_metrics_is_read_at_their_place():
    text = "\n".join(f"iter {n}: loss 0.{n}1\n  cls: 0.{n}2, box 0.{n}3" for n in range(1, 5))
    found = short(text)
    assert [each for each in found if "cls" in each[2]] == [
        (None, n, {"cls": float(f"0.{n}2"), "box": float(f"0.{n}3")}) for n in range(1, 5)
    ]


def test_mappings_without_a_metrics_word_count_once_they_recur():
    lines = [f'{{"itr": {n}000, "IS_mean": {n}.25, "FID": 18{n}.5}}' for n in range(1, 5)]
    assert short("\n".join(lines)) == [
        (None, n * 1000, {"IS_mean": n + 0.25, "FID": 180.5 + n}) for n in range(1, 5)
    ]
    assert short("\n".join(f'{{"step": {n}, "cpu": 0.{n}}}' for n in range(1, 9))) == []


def test_a_heading_is_everybodys():
    """Keras prints the same one."""
    parsers = [parser for parser, _ in built_in()]
    assert short("Epoch 3/24\ntrain Loss: 0.6", parsers=parsers) == [(3, None, {"train Loss": 0.6})]


def test_a_line_without_a_place_stands_where_the_line_before_stood():
    text = (
        "Iteration 1, loss = 0.79\nValidation score: 0.51\nIteration 2, loss = 0.77\nValidation score: 0.52"
    )
    assert [step for _, step, _ in short(text)] == [1, 1, 2, 2]


def test_a_line_that_comes_again_without_a_place_stands_nowhere():
    text = "epoch 1 loss 0.5\n" + "val accuracy: 0.9\n" * 3
    assert [(epoch, step) for epoch, step, _ in short(text)] == [
        (1, None),
        (1, None),
        (None, None),
        (None, None),
    ]


def test_the_steps_of_an_environment_come_before_its_episodes():
    text = "my_main Recent Stats | t_env:    8443380 | Episode:   331792\nreturn_mean:   12.5\tloss:   0.25"
    assert short(text) == [(None, 8443380, {"return_mean": 12.5, "loss": 0.25})]


def test_the_learning_rate_is_read_in_a_line_of_its_own():
    text = "".join(f"Epoch {n}/4\nTrain Loss: 0.{n}\nLearning Rate: 0.00{n}\n" for n in range(1, 5))
    found = short(text)
    assert [each for each in found if "Learning Rate" in each[2]] == [
        (n, None, {"Learning Rate": n / 1000}) for n in range(1, 5)
    ]


def test_the_learning_rate_of_an_epoch_is_as_good_as_a_heading():
    text = "Epoch: 1 Learning rate: 1.0\n" + "0.1 perplexity: 501.5 speed: 1043 wps\n" * 3
    assert [epoch for epoch, _, _ in short(text)] == [1, 1, 1, 1]


def test_the_two_losses_of_a_gan_may_have_letters_for_names():
    text = "\n".join(f"Iter: {n}, D: 1.{n}, G:0.{n}" for n in (25, 50, 75, 85))
    assert short(text)[-1] == (None, 85, {"D": 1.85, "G": 0.85})


def test_what_is_printed_for_each_batch_below_a_heading_is_in_its_epoch():
    text = "".join(f"Epoch: {epoch}\n" + "cls_loss: 0.5 | train_loss: 0.25\n" * 3 for epoch in (0, 1))
    assert [(epoch, step) for epoch, step, _ in short(text)] == [(0, None)] * 3 + [(1, None)] * 3


def test_a_step_that_starts_over_in_each_epoch_is_counted_on():
    text = "\n".join(f"Epoch [{e}/3], Step [{s}/600], Loss: 0.5" for e in (1, 2, 3) for s in (300, 600))
    assert [step for _, step, _ in short(text)] == [300, 600, 900, 1200, 1500, 1800]


def test_a_step_that_goes_on_is_left_alone():
    text = "\n".join(
        f"Epoch [{e}/3], Step [{600 * (e - 1) + s}/1800], Loss: 0.5" for e in (1, 2, 3) for s in (300, 600)
    )
    assert [step for _, step, _ in short(text)] == [300, 600, 900, 1200, 1500, 1800]


def test_batches_are_counted_on_from_the_first_epoch_that_is_seen():
    text = "\n".join(f"epoch {e} batch {b}/10 loss 0.5" for e in (5, 6) for b in (5, 10))
    assert [step for _, step, _ in short(text)] == [5, 10, 15, 20]


def test_bars_with_the_same_names_are_told_apart_and_redraws_are_no_records():
    text = "epochs ━━━━━━━━━━ 1/3 0:00:01 loss=0.5\rbatches ━━━━━━━━━━ 2/40 loss=0.6\r" * 3 + "done\n"
    found = [(record.context.get("bar"), record.metrics["loss"]) for record in parse(text)]
    assert found == [(None, 0.5), ("batches", 0.6)]


def test_each_rank_has_a_progress_of_its_own():
    text = "\n".join(
        f"[rank{rank}]: Epoch [{e}/2], Step [{s}/600], Loss: 0.5"
        for e in (1, 2)
        for s in (300, 600)
        for rank in (0, 1)
    )
    assert [step for _, step, _ in short(text)] == [300, 300, 600, 600, 900, 900, 1200, 1200]


def test_folds_are_told_apart():
    assert [r.context for r in parse("Fold 2 epoch 3 loss 0.5\n")] == [{"fold": 2}]


def test_a_word_of_many_meanings_needs_a_place_and_a_program_that_no_format_knows():
    assert short("score 0.5") == []
    assert short("step 3 score 0.5") == [(None, 3, {"score": 0.5})]
    parsers = [parser for parser, _ in built_in()]
    keras = "10/100 ━━━━━━━━━━━━━━━━━━━━ 1s 5ms/step - loss: 0.9\n"
    assert len(short(keras + "step 3 score 0.5", parsers=parsers)) == 1
    assert len(short(keras + "step 3 loss 0.5", parsers=parsers)) == 2


@pytest.mark.parametrize(("text", "values"), [
    ("{'a': 1, 'b': {'c': -2.5, 'd': {'e': 7}}}", {"a": 1, "b/c": -2.5, "b/d/e": 7}),
    ('{"a": 1, "b": [1, {"x": 2}], "c": "x y", "d": null}', {"a": 1}),
    ("{'a': array(0.5, dtype=float32), 'b': torch.float32(1), 'c': tensor([0.5])}", {"a": 0.5, "b": 1}),
    ("{'a': 'it\\'s', 'b': 2}", {"b": 2}),
])  # fmt: skip
def test_mappings(text, values):
    [(_, found)] = mapping.all_of(text, 0, "")
    assert {name: float(text[slice(*span)]) for name, span in found.items() if span} == values


@pytest.mark.parametrize(
    "text", ["{'a': 1", "{'a': 1} and more", "{1: 2}", "{a, b}", "{'a': {'b': 1}", "{{}", "{]}"]
)
def test_what_is_no_mapping(text):
    assert mapping.all_of(text, 0, "") is None


def test_a_format_of_the_users_may_use_a_reader_and_learns_which_there_are():
    own = "name: own\npatterns: [{reader: general, prefix: mine/}]\nsamples: [{text: loss 0.5, gives: {metrics: {mine/loss: 0.5}}}]"
    assert samples.check(load(Source(own, "own.yaml"))) == []
    with pytest.raises(UserError, match="there is no reader 'words'"):
        load(Source(own.replace("general", "words"), "own.yaml"))
    with pytest.raises(UserError, match="exactly one of the keys line, regex"):
        load(Source(own.replace("reader: general", "reader: general, line: x"), "own.yaml"))


PIECES = ["loss", "epoch ", "step", ": ", "=", " ", "0.5", "1/2", "[", "]", "(", ")", "{", "}", "'", '"', ",", "|", "9" * 30,
          "nan", "±", "%", "acc", "-", ".", "\t", "@", "after ", "of ", "is ", "é", "━━━", "tensor(", "fold ", "best "]  # fmt: skip


@settings(max_examples=300)
@given(st.lists(st.lists(st.sampled_from(PIECES), max_size=30).map("".join), max_size=4))
def test_no_line_is_too_odd(lines):
    parse("\n".join(lines) + "\n")


@pytest.mark.parametrize("piece", PIECES)
def test_absurd_lines_take_no_time(piece):
    for start in ("loss ", "{'loss': "):
        parse(start + piece * (900 // len(piece)) + "\n")
        parse(start + piece * (60_000 // len(piece)) + "\n")


def test_a_time_of_hours_and_minutes_is_no_number_without_a_name():
    line = "epoch   0 | batch    250 | examples/s:  35.1 | loss: 0.14321 | time elapsed: 00h01m12s | time left: 10h12m11s"
    assert short(line) == [(0, 250, {"examples/s": 35.1, "loss": 0.14321})]


def test_what_a_speed_is_counted_by_is_not_part_of_the_next_name():
    line = "Train Epoch: 0 [   256/100000 (0%)] Batch (t): 2.345, 109.2/s, 109.2/s/gpu LR: 0.000001 Loss: 5.5512 (5.5512)"
    metrics = {"Batch (t)": 2.345, "LR": 0.000001, "Train/Loss": 5.5512, "Train/Loss/avg": 5.5512}
    assert short(line) == [(0, 256, metrics)]


def test_a_part_of_the_data_may_have_the_epoch_behind_it():
    assert short("Eval Epoch: 1 top1: 0.25\tclip_val_loss: 3.5") == [
        (1, None, {"Eval/top1": 0.25, "clip_val_loss": 3.5})
    ]
    assert short("Val Epoch 3/10 loss 0.5") == [(3, None, {"Val/loss": 0.5})]


@pytest.mark.parametrize(
    "line",
    [
        "Epoch 3/5 loss=0.5 <-- best", "Epoch 3 loss 0.5  <- New best!", "Epoch 3/5 loss 0.5 -> saved model",
        ">>> Epoch: 3 | loss: 0.5", ">> epoch 3 loss 0.5", "*** Epoch 3: loss 0.5 ***", "=== epoch 3: loss=0.5 ===",
        "--- Epoch 3 | loss 0.5 ---", "epoch 3 loss 0.5 *", "Epoch 3/10 --> loss: 0.5", "('Epoch', 3, 'loss', 0.5)",
        "Mon Jan  1 10:00:00 2023 Epoch-3 loss 0.5", "epoch_3: loss 0.5", "[I 231001 10:00:00 train:101] epoch=3 loss=0.5",
    ],
)  # fmt: skip
def test_what_decorates_a_line_or_marks_its_end_is_no_obstacle(line):
    assert short(line) == [(3, None, {"loss": 0.5})]


@pytest.mark.parametrize(
    "line",
    [">>> loss = 0.5", ">>> train(loss=0.5)", "def loss(x) -> float", "loss: 0.5 -> 0.4", "loss: 0.5 -> nan"],
)
def test_code_and_what_changes_from_one_value_to_another_are_no_metrics(line):
    assert short(line) == []


def test_a_position_in_brackets_behind_a_name_is_not_part_of_it():
    assert short("Training loss (epoch 3): 0.5") == [(3, None, {"Training loss": 0.5})]
    assert short("val f1 (step 7) 0.5 val f1 (micro avg) 0.65") == [
        (None, 7, {"val f1": 0.5, "val f1 (micro avg)": 0.65})
    ]


def test_the_parts_of_a_gan_are_told_apart_by_their_names():
    assert short("Iter-100; D loss: 0.5; G_loss: 0.6") == [(None, 100, {"D loss": 0.5, "G_loss": 0.6})]


def test_a_number_behind_a_word_may_tell_metrics_apart():
    text = "Iteration 50 / 1000\n  Content 1 loss: 123.4\n  Style 2 loss: 12.4\nTop 5 accuracy: 0.9"
    names = {"Content 1 loss": 123.4}, {"Style 2 loss": 12.4}, {"Top 5 accuracy": 0.9}
    assert short(text) == [(None, 50, found) for found in names]
    assert short("Val 3 loss: 0.5\nbatch 3 loss: 0.5") == [
        (None, None, {"Val/loss": 0.5}),
        (None, 3, {"loss": 0.5}),
    ]


@pytest.mark.parametrize(("line", "position"), [
    ("Step... (500 | Loss: 0.5)", (None, 500)),
    ("Epoch... (1/3 | Loss: 0.5)", (1, None)),
    ("step#: 1000  Loss: 0.5", (None, 1000)),
    ("Task 1, epoch 5/10 => Loss 0.5", (5, None)),
])  # fmt: skip
def test_signs_of_any_kind_may_be_around_a_position(line, position):
    assert short(line) == [(*position, {"Loss": 0.5})]


@pytest.mark.parametrize("of", ["", "/8"])  # the second has a plan
@pytest.mark.parametrize("values", ["", ", loss=0.5"])
def test_lines_below_a_bar_are_of_its_epoch(values, of):
    """Also once there are plans for the shapes of the lines."""
    epochs = range(1, 9)
    bar = f"Epoch {{}}{of}" + ": {}%|{}| {}/60 [00:02<00:00, 30.98it/s{}]\n"
    text = "".join(
        bar.format(epoch, 50, "#    ", 30, values)
        + bar.format(epoch, 100, "#####", 60, values)
        + f"val loss: {epoch / 16}\n"
        for epoch in epochs
    )
    records = parse(text, parsers=[parser for parser, _ in built_in()])
    assert [(r.epoch, r.metrics) for r in records if "val loss" in r.metrics] == [
        (epoch, {"val loss": epoch / 16}) for epoch in epochs
    ]
    assert [r.epoch for r in records if "loss" in r.metrics] == (
        [n for n in epochs for _ in "12"] if values else []
    )


def test_a_heading_names_the_part_of_the_lines_right_below_it():
    text = "".join(
        f"Epoch {epoch}\nTraining:\n  loss: 0.5\n  acc: 0.25\n\nValidation results:\nloss: 0.75, lr: 0.5\nsaved\nacc: 0.5\n"
        for epoch in range(1, 9)
    )
    assert short(text) == [
        (epoch, None, metrics)
        for epoch in range(1, 9)
        for metrics in ({"Training/loss": 0.5}, {"Training/acc": 0.25}, {"Validation/loss": 0.75, "lr": 0.5}, {"acc": 0.5})
    ]  # fmt: skip
    of_parts = short(
        "Training:\nloss: 0.5 so far\nValidation:\nloss: 0.75 so far\n" * 8
    )  # there is a plan for them
    assert [metrics for _, _, metrics in of_parts] == [{"Training/loss": 0.5}, {"Validation/loss": 0.75}] * 8
    assert short("Test:\nstep 1 loss: 0.5\nloss: 0.25") == [
        (None, 1, {"loss": 0.5}),
        (None, None, {"loss": 0.25}),
    ]


def test_in_a_list_the_lines_before_the_metric_count_too():
    """`precision` alone is a setting, and the names of others are those of any program."""
    text = "precision: 0.5\nrecall: 0.25\nspecificity: 0.75\n"
    assert [metrics for _, _, metrics in short(text)] == [
        {"precision": 0.5},
        {"recall": 0.25},
        {"specificity": 0.75},
    ]
    assert short("".join(f"score: {n / 8}\n" for n in range(50))) == []
    assert short("score: 0.5\nother\nrecall: 0.25") == [(None, None, {"recall": 0.25})]


WHOLE = """{
  "epoch": 3,
  "train": {
    "loss": 0.5,
    "sizes": [1,
      2]
  },
  "val": {
    "loss": 0.25
  }
}
"""


def test_a_mapping_on_several_lines_is_read_as_one():
    found = short(
        "".join(WHOLE.replace('"epoch": 3', f'"epoch": {n}') for n in range(9))
    )  # there are plans soon
    assert found == [(n, None, {"train/loss": 0.5, "val/loss": 0.25}) for n in range(9)]


def test_a_mapping_that_begins_with_a_section_is_read_each_time():
    text = '{\n  "train": {\n    "loss": 0.5\n  }\n}\n' + "waiting\n" * 9
    assert short(text * 9) == [(None, None, {"train/loss": 0.5})] * 9


def test_lines_that_were_none_of_a_mapping_hide_none_that_are():
    first = '"name": "base", "loss": 0.5,\n'
    assert short(f"{first}loading\n" * 9 + f'{first} "acc": 0.25}}\n') == [
        *[(None, None, {"loss": 0.5})] * 9, (None, None, {"loss": 0.5, "acc": 0.25})
    ]  # fmt: skip


def test_its_record_leads_back_to_all_its_lines_that_say_something():
    (record,) = parse("text\n" + WHOLE)
    assert record.at == (7, len(WHOLE) - len("{\n\n"))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Epoch 3 results: {'loss': 0.5,\n 'acc': 0.25}", [(3, None, {"loss": 0.5, "acc": 0.25})]),
        ("{'loss': 0.5,\n 'acc': 0.25,\n 'epoch': 3}", [(3, None, {"loss": 0.5, "acc": 0.25})]),
        ('  "train": {\n    "loss": 0.5\n  }\n}', [(None, None, {"train/loss": 0.5})]),
    ],
)
def test_a_mapping_may_begin_with_words_or_with_a_pair(text, wanted):
    assert short(text) == wanted


@pytest.mark.parametrize("after", ["", "loading shard 3", "epoch 2 acc 0.75"])
def test_what_begins_like_a_mapping_and_is_none_is_not_lost(after):
    found = short(f'  "loss": 0.5,\n{after}')
    assert found[0] == (None, None, {"loss": 0.5})
    assert len(found) == 1 + ("acc" in after)


def test_a_mapping_without_an_end_is_given_up():
    lines = "".join(f'  "loss{n}": 0.5,\n' for n in range(3000))
    pipeline = Pipeline(engine_of([PARSER]))
    assert len(pipeline.feed(lines.encode(), 0)) > 2800
    assert len(parse(lines + "epoch 2 acc 0.75")) == 3001


def test_mappings_of_two_ranks_are_kept_apart():
    lines = [
        f"[rank{rank}]: {line}" for line in ('  "loss": 0.5,', '  "acc": 0.25', "}") for rank in range(2)
    ]
    found = parse("\n".join(lines))
    assert [(r.context["rank"], dict(r.metrics)) for r in found] == [
        (n, {"loss": 0.5, "acc": 0.25}) for n in (0, 1)
    ]


def test_the_learning_rates_of_two_groups_are_kept_apart():
    lines = "Adjusting learning rate of group 0 to 0.50.\nAdjusting learning rate of group 1 to 0.25.\n"
    assert (
        short(lines * 4)
        == [(None, None, {"learning rate": 0.5}), (None, None, {"learning rate/1": 0.25})] * 4
    )


def test_words_in_brackets_name_parts_of_a_metric_alone():
    assert short("epoch 1 loss (a/b): 0.5/0.25 size (w/h): 1.5/2.5") == [
        (1, None, {"loss/a": 0.5, "loss/b": 0.25})
    ]
